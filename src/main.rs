//! The program `dn`. Everything that it can do, the library can do.

fn main() -> std::process::ExitCode {
    demarche_numerique::cli::main()
}
