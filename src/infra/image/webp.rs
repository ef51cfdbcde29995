//! WebP, which is decoded as a whole.

use super::{
    bounds::{must_be_bounded, must_fit},
    containers,
    decoding::{Square, too_large, unreadable},
    reducing::Reducer,
};
use crate::domain::error::{Error, Result};
use image::{ImageDecoder, ImageError, codecs::webp::WebPDecoder, metadata::Orientation};
use std::io::Cursor;

/// What a pixel may take while it is decoded: of a still picture without transparency, of one with it, of an animation.
/// They are the planes, the whole, and copies of it with and without transparency.
const OPAQUE: u64 = 7;
const TRANSPARENT: u64 = 11;
const MOVING: u64 = 18;

pub(super) fn square(file: &[u8]) -> Result<Square> {
    let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(|error| refused(&error))?;
    let size = decoder.dimensions();
    containers::must_be_sound_webp(file, size)?;
    let has_alpha = decoder.color_type().has_alpha();
    let channels: u8 = if has_alpha { 4 } else { 3 };
    must_be_bounded(size, channels.into(), file)?;
    let each = match (decoder.has_animation(), has_alpha) {
        (true, _) => MOVING,
        (false, true) => TRANSPARENT,
        (false, false) => OPAQUE,
    };
    must_fit(u64::from(size.0) * u64::from(size.1) * each)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let bytes = usize::try_from(decoder.total_bytes()).map_err(|_| too_large())?;
    let mut whole = vec![0; bytes];
    decoder
        .read_image(&mut whole)
        .map_err(|error| refused(&error))?;
    let image = Reducer::reduce(size, channels.into(), &whole)?;
    Ok(Square { image, orientation })
}

/// The decoder's own texts may repeat what the file holds.
fn refused(error: &ImageError) -> Error {
    match error {
        ImageError::Limits(_) => too_large(),
        _ => unreadable(),
    }
}
