//! What is Grist's own.
