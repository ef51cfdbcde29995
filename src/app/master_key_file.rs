//! Where the master keys come from: `ENCRYPTION_KEYS`, or in development a file that is made once in the data folder and
//! that only its owner can read.

use crate::{
    config::Config,
    infra::{entropy::Entropy, vault::MasterKeys},
};
use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret;
use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};
use zeroize::Zeroizing;

/// The master keys, newest first.
pub(super) fn master_keys(config: &Config, entropy: &Entropy) -> anyhow::Result<MasterKeys> {
    if let Some(keys) = &config.keys.encryption_keys {
        return MasterKeys::parse(keys.expose_secret()).context("ENCRYPTION_KEYS");
    }
    let path = config.data_dir.join("master.keys");
    make_once(&path, entropy).with_context(|| format!("cannot make {}", path.display()))?;
    let text = fs::read_to_string(&path).map(Zeroizing::new);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    MasterKeys::parse(text.trim()).with_context(|| format!("{}", path.display()))
}

/// Writes a new key into a new file; an existing file is left as it is.
fn make_once(path: &Path, entropy: &Entropy) -> anyhow::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let key = Zeroizing::new(entropy.bytes::<32>());
    let line = Zeroizing::new(format!("development:{}\n", STANDARD.encode(key.as_slice())));
    // Whole or not at all: a key that was cut off by a crash would lock the data away.
    let draft = path.with_extension("draft");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()?;
    match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        linked => linked?,
    }
    fs::remove_file(&draft)?;
    Ok(())
}
