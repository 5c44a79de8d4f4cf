//! Live and test: two worlds that never meet.

use serde::{Deserialize, Serialize};

/// Stripe's `livemode`, which is part of every key of the ledger.
///
/// Wire form: `"live"` or `"test"` (`?mode=`, D1, object names).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Real money.
    #[default]
    Live,
    /// Stripe's test mode and sandboxes.
    Test,
}

impl Mode {
    /// From `livemode` of an event.
    #[must_use]
    pub fn of_livemode(livemode: bool) -> Self {
        if livemode { Self::Live } else { Self::Test }
    }

    /// `live` or `test`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// The inverse of [`Mode::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "live" => Some(Self::Live),
            "test" => Some(Self::Test),
            _ => None,
        }
    }
}
