//! PNG, of which only a row at a time is at hand; one that is interlaced is decoded as a whole.

use super::{
    bounds::{MAX_SIDE, must_be_bounded, must_fit},
    decoding::{Square, too_large, unreadable},
    reducing::Reducer,
};
use crate::domain::error::{Error, Result};
use image::metadata::Orientation;
use png::{ColorType, Decoder, DecodingError, Limits, Transformations};
use std::io::Cursor;

/// What is kept of the chunks beside the pixels.
const MAX_METADATA: usize = 4 * 1024 * 1024;

pub(super) fn square(file: &[u8]) -> Result<Square> {
    let limits = Limits {
        bytes: MAX_METADATA,
    };
    let mut decoder = Decoder::new_with_limits(Cursor::new(file), limits);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder
        .read_header_info()
        .map_err(|error| refused(&error))?;
    let size = header.size();
    if size.0.max(size.1) > MAX_SIDE {
        return Err(too_large());
    }
    let mut reader = decoder.read_info().map_err(|error| refused(&error))?;
    let channels = match reader.output_color_type().0 {
        ColorType::Grayscale => 1,
        ColorType::GrayscaleAlpha => 2,
        ColorType::Rgb => 3,
        ColorType::Rgba => 4,
        ColorType::Indexed => return Err(unreadable()),
    };
    let (depth, is_interlaced) = (reader.info().bit_depth as u64, reader.info().interlaced);
    must_be_bounded(size, channels as u64 * depth.div_ceil(8), file)?;
    let orientation = reader
        .info()
        .exif_metadata
        .as_deref()
        .and_then(Orientation::from_exif_chunk)
        .unwrap_or(Orientation::NoTransforms);
    let image = if is_interlaced {
        let bytes = reader.output_buffer_size().ok_or_else(too_large)?;
        must_fit(bytes as u64)?;
        let mut whole = vec![0; bytes];
        reader
            .next_frame(&mut whole)
            .map_err(|error| refused(&error))?;
        Reducer::reduce(size, channels, &whole)?
    } else {
        let mut reducer = Reducer::new(size, channels);
        while let Some(row) = reader.next_row().map_err(|error| refused(&error))? {
            reducer.push(row.data());
        }
        reducer.finish()?
    };
    Ok(Square { image, orientation })
}

/// The decoder's own texts may repeat what the file holds.
fn refused(error: &DecodingError) -> Error {
    match error {
        DecodingError::LimitsExceeded => too_large(),
        _ => unreadable(),
    }
}
