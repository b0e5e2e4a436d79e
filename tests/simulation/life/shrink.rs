//! Less of a plan that still fails.

use std::collections::BTreeSet;

use super::{Plan, live};

/// What can be left out of a life so that it still fails, in so many lives at most: parts of halving size are tried, down to
/// single things, until none can go.
#[must_use]
pub fn shrink(seed: u64, most: u32) -> BTreeSet<usize> {
    let all: Vec<usize> = Plan::of(seed).items.iter().map(|(number, _)| *number).collect();
    let mut left_out = BTreeSet::new();
    let mut lives = 0;
    let mut size = all.len().div_ceil(2);
    while size > 0 && lives < most {
        let kept: Vec<usize> = all.iter().copied().filter(|number| !left_out.contains(number)).collect();
        let mut smaller = false;
        for part in kept.chunks(size) {
            let mut tried = left_out.clone();
            tried.extend(part);
            lives += 1;
            if live(&Plan::of(seed).without(&tried), false).failure.is_some() {
                left_out = tried;
                smaller = true;
            }
            if lives >= most {
                break;
            }
        }
        if !smaller || size > 1 {
            size /= 2;
        }
    }
    left_out
}
