//! A heap that gives equal items in the same order as the server's.
//!
//! Rows of several series at one instant come in the order in which the server's heap happens to
//! give them. It depends on how the heap moves its items, so the moves are the same here.

/// Items of which the least comes first, as `less` says.
pub(super) struct Heap<T, F> {
    items: Vec<T>,
    less: F,
}

impl<T, F: Fn(&T, &T) -> bool> Heap<T, F> {
    pub(super) fn new(items: Vec<T>, less: F) -> Self {
        let mut heap = Self { items, less };
        for index in (0..heap.items.len() / 2).rev() {
            heap.down(index, heap.items.len());
        }
        heap
    }

    /// Adds an item.
    pub(super) fn push(&mut self, item: T) {
        self.items.push(item);
        let mut index = self.items.len() - 1;
        while index > 0 {
            let parent = (index - 1) / 2;
            if !(self.less)(&self.items[index], &self.items[parent]) {
                break;
            }
            self.items.swap(index, parent);
            index = parent;
        }
    }

    /// Takes the least item.
    pub(super) fn pop(&mut self) -> Option<T> {
        let last = self.items.len().checked_sub(1)?;
        self.items.swap(0, last);
        self.down(0, last);
        self.items.pop()
    }

    fn down(&mut self, start: usize, end: usize) {
        let mut index = start;
        loop {
            let left = 2 * index + 1;
            if left >= end {
                break;
            }
            let right = left + 1;
            let right_less = right < end && (self.less)(&self.items[right], &self.items[left]);
            let child = if right_less { right } else { left };
            if !(self.less)(&self.items[child], &self.items[index]) {
                break;
            }
            self.items.swap(index, child);
            index = child;
        }
    }
}
