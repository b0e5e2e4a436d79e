//! Faults between the engine and the platform or the target.

use std::time::Duration;

use demarche_numerique::sandbox::{Fault, Random, Reset};

/// Fault of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No connection.
    Refused,
    /// It is not executed, and no answer comes: the connection breaks, or the client gives up.
    Lost {
        /// True if the client gives up.
        silent: bool,
    },
    /// It is executed, and no answer comes.
    Unheard {
        /// True if the client gives up.
        silent: bool,
    },
    /// The client gives up, and so long after the platform executes it all the same.
    Late(Duration),
    /// The answer takes its time.
    Slow(Duration),
    /// The platform, or a proxy, answers otherwise.
    Fault(Fault),
}

impl Trouble {
    /// One of them.
    pub fn draw(random: &mut Random) -> Self {
        let seconds = Duration::from_secs(1 + random.below(29));
        match random.below(19) {
            0 => Self::Refused,
            1 => Self::Lost { silent: false },
            2 => Self::Lost { silent: true },
            3 | 4 => Self::Unheard { silent: false },
            5 => Self::Unheard { silent: true },
            6 => Self::Late(seconds),
            7 => Self::Slow(seconds),
            8 => Self::Fault(Fault::RateLimited(Reset::Absent)),
            9 => Self::Fault(Fault::RateLimited(Reset::In(i64::try_from(random.below(60)).unwrap_or(0) - 5))),
            10 => Self::Fault(Fault::Crash),
            11 => Self::Fault(random.pick(&[Fault::Crash, Fault::CrashAfter, Fault::BadRequestAfter]).clone()),
            12 => Self::Fault(Fault::BadGateway),
            13 => Self::Fault(Fault::Maintenance),
            14 => Self::Fault(random.pick(&[Fault::NotJson, Fault::NoData, Fault::Redirect]).clone()),
            15 | 16 => Self::Fault(Fault::Truncate),
            17 => Self::Fault(random.pick(&[Fault::EmptyPages, Fault::LostCursors, Fault::NullNodes]).clone()),
            _ => Self::Fault(Fault::GatewayTimeout),
        }
    }
}

/// Fault of a call of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing is done.
    Before,
    /// It is done, and the answer is lost.
    After,
}

impl Failure {
    /// One of them.
    pub fn draw(random: &mut Random) -> Self {
        *random.pick(&[Self::Before, Self::After])
    }
}
