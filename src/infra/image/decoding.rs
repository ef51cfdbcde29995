//! From a file that a stranger chose to a picture of ours. Its bounds are checked on what the header says, before a pixel
//! is decoded; what is kept is encoded anew, so that nothing of the file but its pixels survives.

use super::{Picture, jpeg, png, webp};
use crate::domain::{
    avatar::AvatarSize,
    error::{Error, Result},
};
use image::{
    DynamicImage, ImageFormat,
    codecs::png::{CompressionType, FilterType as Prediction, PngEncoder},
    imageops::FilterType,
    metadata::Orientation,
};

/// The middle of a picture, as it lies in the file.
pub(super) struct Square {
    pub(super) image: DynamicImage,
    pub(super) orientation: Orientation,
}

/// The picture in both sizes: upright, cut to the square in its middle, without metadata.
pub(super) fn picture(upload: &[u8]) -> Result<Picture> {
    let square = upright(match image::guess_format(upload) {
        Ok(ImageFormat::Png) => png::square(upload)?,
        Ok(ImageFormat::Jpeg) => jpeg::square(upload)?,
        Ok(ImageFormat::WebP) => webp::square(upload)?,
        _ => return Err(Error::UnsupportedKind),
    });
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

/// What a picture that is larger than may be is answered with.
pub(super) fn too_large() -> Error {
    let message = "The picture has more than 10,000 pixels on a side or 25 million in all, or unpacks to too much.";
    Error::invalid("file", "too_large", message)
}

fn upright(square: Square) -> DynamicImage {
    let mut image = square.image;
    image.apply_orientation(square.orientation);
    if image.color().has_alpha() {
        image.into_rgba8().into()
    } else {
        image.into_rgb8().into()
    }
}

fn encode(image: &DynamicImage) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut file, CompressionType::Default, Prediction::Adaptive);
    image.write_with_encoder(encoder).map_err(Error::internal)?;
    Ok(file)
}
