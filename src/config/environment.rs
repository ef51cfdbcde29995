//! Development or production: the one switch that decides how strict everything else is.

use super::{
    reader::Reader,
    setting::{Fallback, Setting},
};
use std::path::PathBuf;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "ENVIRONMENT",
        Fallback::Fixed("development"),
        "`development`, or `production`, which refuses to start on anything unsafe.",
    ),
    Setting::new(
        "DATA_DIR",
        Fallback::Fixed("./data"),
        "Folder of the SQLite file and, in development, of the keys made at first start.",
    ),
];

/// How strict to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    Development,
    Production,
}

impl Environment {
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "development" => Some(Self::Development),
            "production" => Some(Self::Production),
            _ => None,
        }
    }
}

pub(super) fn read_data_dir(reader: &mut Reader) -> PathBuf {
    PathBuf::from(reader.text("DATA_DIR").unwrap_or_default())
}
