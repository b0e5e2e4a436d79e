//! Names the commands of a document. Pure.

/// Names a command that people give by ticking a box of a document. They are carried out in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentCommand {
    /// Read what changed: a run now.
    Sync,
    /// Read every dossier again.
    Full,
    /// Read the dossiers in quarantine again, whenever their next attempt was due.
    RetryQuarantine,
    /// Send the decisions that wait.
    Push,
    /// Compare the document with the platform.
    Verify,
}

impl DocumentCommand {
    /// Every command, in the order in which they are carried out.
    pub const ALL: [Self; 5] = [Self::Sync, Self::Full, Self::RetryQuarantine, Self::Push, Self::Verify];

    /// Gives the id of its column, which is its name in the HTTP endpoint too.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sync => "synchroniser",
            Self::Full => "relire",
            Self::RetryQuarantine => "quarantaine",
            Self::Push => "envoyer",
            Self::Verify => "verifier",
        }
    }

    /// Gives the title of its column, in French.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Sync => "Synchroniser",
            Self::Full => "Relire tout",
            Self::RetryQuarantine => "Réessayer la quarantaine",
            Self::Push => "Envoyer les décisions",
            Self::Verify => "Vérifier",
        }
    }

    /// Finds a command by its word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.word() == word)
    }
}
