//! Days of `dn run` in seconds: the loop, the engine and the board over a platform that changes and fails, in a time that
//! passes by itself. In the end the target is the platform, and the metrics, the alerts and the history tell one story.

mod days;
mod life;
mod memory;
