//! Room: privacy.
