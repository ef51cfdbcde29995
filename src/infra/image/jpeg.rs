//! JPEG, decoded at a half, a quarter or an eighth of its size where that is enough, so that a photograph takes little
//! memory.

use super::{
    bounds::{must_be_bounded, must_fit},
    containers,
    decoding::{Square, unreadable},
    reducing::{ROUGH_SIDE, Reducer},
};
use crate::domain::error::Result;
use image::metadata::Orientation;
use jpeg_decoder::{CodingProcess, Decoder, PixelFormat};
use std::io::Cursor;

/// A longer picture than this many pixels after the scaling is scaled down more.
const MAX_SCALED: u32 = 2 * 1024 * 1024;
/// Some rows of blocks that are under way.
const ROWS: u64 = 2 * 1024 * 1024;

pub(super) fn square(file: &[u8]) -> Result<Square> {
    containers::must_be_whole_jpeg(file)?;
    let mut decoder = Decoder::new(Cursor::new(file));
    decoder.read_info().map_err(|_| unreadable())?;
    let info = decoder.info().ok_or_else(unreadable)?;
    let channels = match info.pixel_format {
        PixelFormat::L8 => 1,
        PixelFormat::RGB24 => 3,
        PixelFormat::CMYK32 => 4,
        PixelFormat::L16 => return Err(unreadable()),
    };
    let size = (u32::from(info.width), u32::from(info.height));
    must_be_bounded(size, channels, file)?;
    let coefficients = match info.coding_process {
        CodingProcess::DctSequential => 0,
        CodingProcess::DctProgressive => {
            containers::coefficient_bytes(file).ok_or_else(unreadable)?
        }
        CodingProcess::Lossless => return Err(unreadable()),
    };
    let scaled = scale(&mut decoder, size)?;
    // The colours apart and together.
    let bytes = 2 * u64::from(scaled.0) * u64::from(scaled.1) * channels;
    must_fit(coefficients + bytes + ROWS)?;
    let pixels = decoder.decode().map_err(|_| unreadable())?;
    let orientation = decoder
        .exif_data()
        .and_then(Orientation::from_exif_chunk)
        .unwrap_or(Orientation::NoTransforms);
    drop(decoder);
    let image = match info.pixel_format {
        PixelFormat::L8 => Reducer::reduce(scaled, 1, &pixels)?,
        PixelFormat::CMYK32 => Reducer::reduce(scaled, 3, &rgb(&pixels))?,
        _ => Reducer::reduce(scaled, 3, &pixels)?,
    };
    Ok(Square { image, orientation })
}

/// Scales to the least of the sizes that suffice; what it is then.
fn scale(decoder: &mut Decoder<Cursor<&[u8]>>, (width, height): (u32, u32)) -> Result<(u32, u32)> {
    let eighths = eighths(width, height);
    let asked = |side: u32| u16::try_from((side * eighths).div_ceil(8)).unwrap_or(u16::MAX);
    // One side is enough, and the longer one tells the scales apart better; none has the other length.
    let scaled = if width >= height {
        decoder.scale(asked(width), u16::MAX)
    } else {
        decoder.scale(u16::MAX, asked(height))
    };
    let (width, height) = scaled.map_err(|_| unreadable())?;
    Ok((u32::from(width), u32::from(height)))
}

/// By which scale the shorter side is long enough, if it is; neither side exceeds 10,000, so the products fit.
fn eighths(width: u32, height: u32) -> u32 {
    let suffices = |eighths: u32| width.min(height) * eighths / 8 >= ROUGH_SIDE;
    let least = [1, 2, 4].into_iter().find(|scale| suffices(*scale));
    let fits = |eighths: u32| width * eighths / 8 * (height * eighths / 8) <= MAX_SCALED;
    let most = [8, 4, 2].into_iter().find(|scale| fits(*scale));
    least.unwrap_or(8).min(most.unwrap_or(1))
}

/// Inverted inks, as they are kept by custom, become light.
fn rgb(cmyk: &[u8]) -> Vec<u8> {
    let light = |ink: u8, key: u8| {
        let light = u16::from(255 - ink) * u16::from(255 - key) / 255;
        u8::try_from(light).unwrap_or(u8::MAX)
    };
    let pixels = cmyk.chunks_exact(4).map(|pixel| {
        let [c, m, y, k] = *pixel else { return [0; 3] };
        [light(c, k), light(m, k), light(y, k)]
    });
    pixels.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_the_least_that_suffices_and_fits() {
        for ((width, height), expected) in [
            ((1, 1), 8),
            ((600, 600), 8),
            ((1024, 1024), 4),
            ((4032, 3024), 2),
            ((4100, 4100), 1),
            ((5000, 5000), 1),
            ((10_000, 1_000), 2),
            ((10_000, 2_500), 2),
            ((1, 10_000), 8),
        ] {
            assert_eq!(eighths(width, height), expected, "{width} x {height}");
            assert_eq!(eighths(height, width), expected);
        }
    }
}
