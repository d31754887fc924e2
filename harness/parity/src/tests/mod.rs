//! Tests of whole comparisons: single facts in `examples`, invariants in `properties`.

mod examples;
mod properties;
