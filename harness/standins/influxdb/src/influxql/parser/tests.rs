//! Reading queries: what is understood, and where a mistake is said to be.
