use std::{fmt, str::FromStr};

use super::StoreError;

/// What somebody may do: docs/api.md has it method by method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Takes over and ends calls, sees those that run.
    Operator,
    /// Listens in, reads transcripts, corrects dispositions.
    Supervisor,
    /// A program: starts calls, follows events, writes dispositions back.
    Integrator,
    /// Dialplans, knowledge, tokens, erasure, the audit log.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Operator, Self::Supervisor, Self::Integrator, Self::Admin];

    /// `operator`, `supervisor`, `integrator` or `admin`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Supervisor => "supervisor",
            Self::Integrator => "integrator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| {
            StoreError::Refused {
                what: "role",
                value: text.to_owned(),
                problem: "is none: operator, supervisor, integrator or admin".to_owned(),
            }
        })
    }
}

/// Whose token it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What it may see and change things of.
    pub tenant: String,
    /// What it may do.
    pub role: Role,
    /// The token's id, for the audit log; the token itself is nowhere.
    pub token_id: String,
}
