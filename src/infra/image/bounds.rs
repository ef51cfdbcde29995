//! How large a picture may be, and how much memory it may take. Both are told by its header, before a pixel is decoded.

use super::decoding::too_large;
use crate::domain::error::Result;

/// Longest side.
pub(super) const MAX_SIDE: u32 = 10_000;
/// A little more than the 24 megapixels of a camera.
const MAX_PIXELS: u64 = 25_000_000;
/// As a whole, whatever the depth of its colours.
const MAX_BYTES: u64 = 100_000_000;
/// As a whole, what any picture may unpack to.
const HARMLESS_BYTES: u64 = 32 * 1024 * 1024;
/// A picture that unpacks to more may be so many times as large as its file; a photograph is some 20 times as large.
const MAX_EXPANSION: u64 = 100;
/// What is at hand of it at any moment while it is decoded, beside the file; of a progressive JPEG as much again may wait for
/// processors that are busy.
pub(super) const MAX_MEMORY: u64 = 48 * 1024 * 1024;

/// Refuses what is too large, and what unpacks to far more than it brings (a decompression bomb).
pub(super) fn must_be_bounded((width, height): (u32, u32), each: u64, file: &[u8]) -> Result<()> {
    let pixels = u64::from(width) * u64::from(height);
    let bytes = pixels.saturating_mul(each);
    let is_bomb = bytes > HARMLESS_BYTES && bytes / MAX_EXPANSION > file.len() as u64;
    if width.max(height) > MAX_SIDE || pixels > MAX_PIXELS || bytes > MAX_BYTES || is_bomb {
        return Err(too_large());
    }
    Ok(())
}

/// Refuses what would take too much memory.
pub(super) fn must_fit(memory: u64) -> Result<()> {
    if memory > MAX_MEMORY {
        return Err(too_large());
    }
    Ok(())
}
