//! What only PostgreSQL promises: several writers, leases, a feed that is followed, and what a server may do to us.
