//! The program `dn`. Everything that it can do, the library can do.

/// Values are made in one thread and dropped in SQLite's: an allocator that is good at it takes a seventh off a first
/// sync (docs/performance.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    demarche_numerique::cli::main()
}
