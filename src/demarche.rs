//! demarche
