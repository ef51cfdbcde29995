//! From a file that a stranger chose to a picture of ours. Its bounds are checked on what the header says, before a pixel
//! is decoded; what is kept is encoded anew, so that nothing of the file but its pixels survives.

use super::{Picture, containers};
use crate::domain::{
    avatar::AvatarSize,
    error::{Error, Result},
};
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, Limits,
    codecs::{
        jpeg::JpegDecoder,
        png::{CompressionType, FilterType as Prediction, PngDecoder, PngEncoder},
        webp::WebPDecoder,
    },
    imageops::FilterType,
    metadata::Orientation,
};
use std::io::Cursor;

/// Longest side.
const MAX_SIDE: u32 = 10_000;
/// A little more than the 24 megapixels of a camera.
const MAX_PIXELS: u64 = 25_000_000;
/// Decoded, whatever the depth of its colours.
const MAX_BYTES: u64 = 100_000_000;
/// Decoded, what any picture may take.
const HARMLESS_BYTES: u64 = 32 * 1024 * 1024;
/// A picture that takes more may be so many times as large as its file; a photograph is some 20 times as large.
const MAX_EXPANSION: u64 = 100;
/// What colour profiles and texts beside the pixels may unpack to.
const MAX_METADATA: u64 = 4 * 1024 * 1024;
/// The shorter side to which a larger picture is reduced before the fine work.
const ROUGH_SIDE: u32 = 1024;

/// The picture in both sizes: upright, cut to the square in its middle, without metadata.
pub(super) fn picture(upload: &[u8]) -> Result<Picture> {
    let upright = decode(upload)?;
    let (width, height) = (upright.width(), upright.height());
    let side = width.min(height);
    let square = upright.crop_imm((width - side) / 2, (height - side) / 2, side, side);
    let scaled =
        |size: AvatarSize| square.resize_exact(size.pixels(), size.pixels(), FilterType::Lanczos3);
    Ok(Picture {
        large: encode(&scaled(AvatarSize::Large))?,
        small: encode(&scaled(AvatarSize::Small))?,
    })
}

/// What a file that cannot be decoded is answered with.
pub(super) fn unreadable() -> Error {
    Error::invalid("file", "format", "The picture is damaged or cut off.")
}

fn decode(upload: &[u8]) -> Result<DynamicImage> {
    let file = Cursor::new(upload);
    match image::guess_format(upload) {
        Ok(ImageFormat::Png) => {
            let decoder = PngDecoder::with_limits(file, limits());
            finish(decoder.map_err(|error| refused(&error))?, upload)
        }
        Ok(ImageFormat::Jpeg) => {
            containers::must_be_whole_jpeg(upload)?;
            finish(
                JpegDecoder::new(file).map_err(|error| refused(&error))?,
                upload,
            )
        }
        Ok(ImageFormat::WebP) => {
            let decoder = WebPDecoder::new(file).map_err(|error| refused(&error))?;
            containers::must_be_sound_webp(upload, decoder.dimensions())?;
            finish(decoder, upload)
        }
        _ => Err(Error::UnsupportedKind),
    }
}

fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_METADATA);
    limits
}

fn finish(mut decoder: impl ImageDecoder, upload: &[u8]) -> Result<DynamicImage> {
    must_be_bounded(&decoder, upload.len() as u64)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let whole = DynamicImage::from_decoder(decoder).map_err(|error| refused(&error))?;
    let mut image = reduced(whole);
    image.apply_orientation(orientation);
    Ok(if image.has_alpha() {
        image.into_rgba8().into()
    } else {
        image.into_rgb8().into()
    })
}

/// Refuses what would take too much memory, and what unpacks to far more than it brings (a decompression bomb).
fn must_be_bounded(decoder: &impl ImageDecoder, file: u64) -> Result<()> {
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let bytes = decoder.total_bytes();
    let is_bomb = bytes > HARMLESS_BYTES && bytes / MAX_EXPANSION > file;
    if width.max(height) > MAX_SIDE || pixels > MAX_PIXELS || bytes > MAX_BYTES || is_bomb {
        return Err(too_large());
    }
    Ok(())
}

/// Nearer to its final size, which is cheap: each new pixel is the mean of those it stands for.
fn reduced(image: DynamicImage) -> DynamicImage {
    let (width, height) = (image.width(), image.height());
    let side = width.min(height);
    if side <= ROUGH_SIDE {
        return image;
    }
    // Neither side exceeds 10,000, so the products fit.
    image.thumbnail_exact(width * ROUGH_SIDE / side, height * ROUGH_SIDE / side)
}

fn encode(image: &DynamicImage) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut file, CompressionType::Default, Prediction::Adaptive);
    image.write_with_encoder(encoder).map_err(Error::internal)?;
    Ok(file)
}

fn too_large() -> Error {
    let message = "The picture has more than 10,000 pixels on a side or 25 million in all, or unpacks to too much.";
    Error::invalid("file", "too_large", message)
}

/// The decoders' own texts may repeat what the file holds.
fn refused(error: &ImageError) -> Error {
    match error {
        ImageError::Limits(_) => too_large(),
        _ => unreadable(),
    }
}
