//! Room: plan.
