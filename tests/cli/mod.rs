//! The real binary: exit codes, help, secrets, pipes.
