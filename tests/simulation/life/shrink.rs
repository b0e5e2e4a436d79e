//! Shrinks a plan that fails.

use std::collections::BTreeSet;

use super::plan::Plan;

/// Finds the items that can be left out of a plan so that it still fails: tries parts of halving size, down to single
/// items, until none of them can go or so many plans were tried.
#[must_use]
pub fn shrink(plan: &Plan, most: u32, fails: impl Fn(&Plan) -> bool) -> BTreeSet<usize> {
    let all: Vec<usize> = plan.items.iter().map(|(number, _)| *number).collect();
    let mut left_out = BTreeSet::new();
    let (mut tried, mut size) = (0, all.len().div_ceil(2));
    while size > 0 {
        let kept: Vec<usize> = all.iter().copied().filter(|number| !left_out.contains(number)).collect();
        let mut smaller = false;
        for part in kept.chunks(size) {
            if tried == most {
                return left_out;
            }
            tried += 1;
            let mut fewer = left_out.clone();
            fewer.extend(part);
            if fails(&plan.clone().without(&fewer)) {
                left_out = fewer;
                smaller = true;
            }
        }
        // Single things are tried again as long as that helps: one may be of no use without another.
        size = if size == 1 && smaller { 1 } else { size / 2 };
    }
    left_out
}
