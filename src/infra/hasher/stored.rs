//! Password hashes as they are stored: our own, and those that accounts were imported with. What a hash asks for is
//! capped when it is read, before any work is done: an imported hash must not be able to stop the service.

use super::queue::Memory;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use bcrypt::HashParts;
use password_hash::phc::{Output, PasswordHash as Phc};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Longer ones are not read.
const MAX_LENGTH: usize = 512;
/// 256 MiB.
const MAX_ARGON2_KIB: u32 = 256 * 1024;
const MAX_ARGON2_ITERATIONS: u32 = 16;
const MAX_SCRYPT_LOG_N: u32 = 17;
/// Bounds N * r * p, so 256 MiB and about half a second.
const MAX_SCRYPT_WORK: u64 = 1 << 21;
const MAX_PBKDF2_ROUNDS: u32 = 2_000_000;
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=14;

/// A hash that was read.
#[derive(Clone)]
pub(super) enum Stored {
    Argon2 {
        argon2: Argon2<'static>,
        algorithm: Algorithm,
        version: Version,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
    Scrypt {
        params: scrypt::Params,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
    Pbkdf2Sha256 {
        rounds: u32,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
    /// Covers the first 72 bytes of the password only.
    Bcrypt(String),
}

/// Why a stored hash cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    /// Of no form that we know.
    Malformed,
    /// It would take more memory or time than we give.
    OverCap,
}

impl Stored {
    /// Reads a hash: Argon2, scrypt or PBKDF2 as PHC string, PBKDF2 in Django's form, bcrypt as `$2a$`, `$2b$`, `$2y$`.
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        if text.len() > MAX_LENGTH {
            return Err(Unusable::Malformed);
        }
        if ["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            return parse_bcrypt(text);
        }
        if let Some(rest) = text.strip_prefix("pbkdf2_sha256$") {
            return parse_django(rest);
        }
        let phc = Phc::new(text).map_err(|_| Unusable::Malformed)?;
        match phc.algorithm.as_str() {
            "scrypt" => parse_scrypt(&phc),
            "pbkdf2-sha256" => parse_pbkdf2(&phc),
            name => parse_argon2(&phc, Algorithm::new(name).map_err(|_| Unusable::Malformed)?),
        }
    }

    /// Whether it is the hash of this password; compared in constant time.
    pub fn matches(&self, password: &[u8], memory: &mut Memory) -> bool {
        match self {
            Self::Argon2 {
                argon2, salt, hash, ..
            } => {
                let mut out = vec![0; hash.len()];
                let done = memory.argon2(argon2, password, salt, &mut out);
                done.is_ok() && out.ct_eq(hash).into()
            }
            Self::Scrypt { params, salt, hash } => {
                let mut out = vec![0; hash.len()];
                let done = scrypt::scrypt(password, salt, params, &mut out);
                done.is_ok() && out.ct_eq(hash).into()
            }
            Self::Pbkdf2Sha256 { rounds, salt, hash } => {
                let mut out = vec![0; hash.len()];
                pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, *rounds, &mut out);
                out.ct_eq(hash).into()
            }
            // It compares in constant time itself.
            Self::Bcrypt(text) => bcrypt::verify(password, text).unwrap_or(false),
        }
    }

    /// Whether it is weaker than, or of another kind than, what we make now.
    pub fn is_outdated(&self, current: &Params) -> bool {
        let Self::Argon2 {
            argon2,
            algorithm,
            version,
            salt,
            hash,
        } = self
        else {
            return true;
        };
        *algorithm != Algorithm::Argon2id
            || *version != Version::V0x13
            || argon2.params().m_cost() < current.m_cost()
            || argon2.params().t_cost() < current.t_cost()
            || salt.len() < super::SALT_LENGTH
            || hash.len() < super::HASH_LENGTH
    }
}

/// Our own form: a PHC string of Argon2id version 19.
pub(super) fn encode(params: &Params, salt: &[u8], hash: &[u8]) -> String {
    format!(
        "$argon2id$v=19$m={},t={},p={}${}${}",
        params.m_cost(),
        params.t_cost(),
        params.p_cost(),
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(hash)
    )
}

fn salt_and_hash(phc: &Phc) -> Result<(Vec<u8>, Vec<u8>), Unusable> {
    let salt = phc.salt.as_ref().ok_or(Unusable::Malformed)?;
    let hash = phc.hash.as_ref().ok_or(Unusable::Malformed)?;
    Ok((salt.as_ref().to_vec(), hash.as_bytes().to_vec()))
}

/// The decimal parameters `names`, each required; any other but `l` (the length, which must fit) is a fault.
fn decimals<const N: usize>(phc: &Phc, names: [&str; N]) -> Result<[u32; N], Unusable> {
    let length = phc.hash.as_ref().map(Output::len);
    for (name, value) in phc.params.iter() {
        let known = if name.as_str() == "l" {
            value.decimal().ok().and_then(|l| usize::try_from(l).ok()) == length
        } else {
            names.contains(&name.as_str())
        };
        if !known {
            return Err(Unusable::Malformed);
        }
    }
    let mut values = [0; N];
    for (value, name) in values.iter_mut().zip(names) {
        *value = phc.params.get_decimal(name).ok_or(Unusable::Malformed)?;
    }
    Ok(values)
}

fn parse_argon2(phc: &Phc, algorithm: Algorithm) -> Result<Stored, Unusable> {
    let params = Params::try_from(phc).map_err(|_| Unusable::Malformed)?;
    if params.m_cost() > MAX_ARGON2_KIB || params.t_cost() > MAX_ARGON2_ITERATIONS {
        return Err(Unusable::OverCap);
    }
    // Hashes from before there was a version field are of the first version.
    let version = phc.version.map_or(Ok(Version::V0x10), Version::try_from);
    let version = version.map_err(|_| Unusable::Malformed)?;
    let (salt, hash) = salt_and_hash(phc)?;
    Ok(Stored::Argon2 {
        argon2: Argon2::new(algorithm, version, params),
        algorithm,
        version,
        salt,
        hash,
    })
}

fn parse_scrypt(phc: &Phc) -> Result<Stored, Unusable> {
    let [log_n, r, p] = decimals(phc, ["ln", "r", "p"])?;
    let work = (u64::from(r).saturating_mul(u64::from(p))).saturating_mul(1 << log_n.min(32));
    if log_n > MAX_SCRYPT_LOG_N || work > MAX_SCRYPT_WORK {
        return Err(Unusable::OverCap);
    }
    let log_n = u8::try_from(log_n).map_err(|_| Unusable::OverCap)?;
    let params = scrypt::Params::new(log_n, r, p).map_err(|_| Unusable::Malformed)?;
    let (salt, hash) = salt_and_hash(phc)?;
    Ok(Stored::Scrypt { params, salt, hash })
}

fn parse_pbkdf2(phc: &Phc) -> Result<Stored, Unusable> {
    let [rounds] = decimals(phc, ["i"])?;
    let (salt, hash) = salt_and_hash(phc)?;
    pbkdf2_of(rounds, salt, hash)
}

/// `iterations$salt$base64`, where the salt is taken as it is written.
fn parse_django(rest: &str) -> Result<Stored, Unusable> {
    let parts: Vec<&str> = rest.split('$').collect();
    let [rounds, salt, hash] = parts[..] else {
        return Err(Unusable::Malformed);
    };
    let rounds = rounds.parse().map_err(|_| Unusable::Malformed)?;
    let hash = STANDARD.decode(hash).map_err(|_| Unusable::Malformed)?;
    if salt.is_empty() || hash.len() != 32 {
        return Err(Unusable::Malformed);
    }
    pbkdf2_of(rounds, salt.as_bytes().to_vec(), hash)
}

fn pbkdf2_of(rounds: u32, salt: Vec<u8>, hash: Vec<u8>) -> Result<Stored, Unusable> {
    match rounds {
        0 => Err(Unusable::Malformed),
        1..=MAX_PBKDF2_ROUNDS => Ok(Stored::Pbkdf2Sha256 { rounds, salt, hash }),
        _ => Err(Unusable::OverCap),
    }
}

fn parse_bcrypt(text: &str) -> Result<Stored, Unusable> {
    let parts: HashParts = text.parse().map_err(|_| Unusable::Malformed)?;
    if BCRYPT_COSTS.contains(&parts.get_cost()) {
        Ok(Stored::Bcrypt(text.to_owned()))
    } else if parts.get_cost() > *BCRYPT_COSTS.end() {
        Err(Unusable::OverCap)
    } else {
        Err(Unusable::Malformed)
    }
}
