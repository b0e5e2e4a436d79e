//! champ
