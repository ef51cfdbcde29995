//! Why the settings are refused: all reasons at once, each one line, none with a value in it (it could be a secret).

/// Everything that is wrong with the settings; one line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(Vec<String>);

impl ConfigError {
    /// The lines, in the order in which they were found.
    pub fn problems(&self) -> &[String] {
        &self.0
    }

    pub(super) fn new(problems: Vec<String>) -> Self {
        Self(problems)
    }
}
