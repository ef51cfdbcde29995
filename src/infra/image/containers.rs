//! What the decoders of JPEG and WebP let pass, looked at in the file itself: a JPEG that ends too early, has too many
//! scans or takes much memory, and a WebP in which an inner part is larger than the whole.

use super::decoding::unreadable;
use crate::domain::error::Result;

/// Begins the coded pixels of a JPEG.
const START_OF_SCAN: u8 = 0xDA;
/// A progressive JPEG has some ten scans, each of which goes through the whole picture.
const MAX_SCANS: usize = 100;
/// Ends a JPEG; cannot occur within coded pixels.
const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];

/// Refuses a JPEG whose pixels end without its end mark, for the decoder would fill the rest with grey, and one whose scans
/// are there to keep the decoder busy.
pub(super) fn must_be_whole_jpeg(file: &[u8]) -> Result<()> {
    let pixels = scan(file).ok_or_else(unreadable)?;
    let is_whole = pixels.windows(2).any(|pair| pair == END_OF_IMAGE);
    let is_scan = |pair: &&[u8]| **pair == [0xFF, START_OF_SCAN];
    if !is_whole || pixels.windows(2).filter(is_scan).count() >= MAX_SCANS {
        return Err(unreadable());
    }
    Ok(())
}

/// What the whole of a progressive JPEG takes before it is turned into pixels: two bytes for each sample, in whole blocks of
/// 8 by 8 (T.81, sections A.1 and A.2).
pub(super) fn coefficient_bytes(file: &[u8]) -> Option<u64> {
    // Frames begin with these, but for tables and arithmetic conditioning.
    let begins = |mark: u8| matches!(mark, 0xC0..=0xCF) && !matches!(mark, 0xC4 | 0xC8 | 0xCC);
    let (_, frame) = segments(file).find(|(mark, _)| begins(*mark))?;
    // Length, precision, height, width, and three bytes for each component.
    let [_, _, _, h1, h2, w1, w2, count, components @ ..] = frame else {
        return None;
    };
    let components = components.get(..usize::from(*count) * 3)?.chunks_exact(3);
    let factors = components.filter_map(|component| {
        let factors = component.get(1).copied().map(u64::from)?;
        Some((factors >> 4, factors & 15))
    });
    let factors: Vec<_> = factors.collect();
    let most = |of: fn(&(u64, u64)) -> u64| factors.iter().map(of).max().filter(|most| *most > 0);
    let units = |side: [u8; 2], most: u64| u64::from(u16::from_be_bytes(side)).div_ceil(8 * most);
    let across = units([*w1, *w2], most(|(across, _)| *across)?);
    let down = units([*h1, *h2], most(|(_, down)| *down)?);
    let blocks: u64 = factors.iter().map(|(across, down)| across * down).sum();
    Some(across * down * blocks * 64 * 2)
}

/// What follows the first start of a scan; segments before it may hold whole pictures (previews).
fn scan(file: &[u8]) -> Option<&[u8]> {
    let (_, scan) = segments(file).find(|(mark, _)| *mark == START_OF_SCAN)?;
    Some(scan)
}

/// The marks of a JPEG before its pixels, each with what follows it.
fn segments(file: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = file.get(2..).unwrap_or_default();
    std::iter::from_fn(move || {
        let at = rest
            .windows(2)
            .position(|pair| matches!(pair, [0xFF, mark] if !matches!(mark, 0 | 0xFF)))?;
        let mark = *rest.get(at + 1)?;
        let segment = rest.get(at + 2..)?;
        // These stand alone; the others begin with their length.
        rest = match (mark, segment) {
            (0x01 | 0xD0..=0xD8, _) => segment,
            (_, [high, low, ..]) => {
                let length = usize::from(u16::from_be_bytes([*high, *low])).max(2);
                segment.get(length..).unwrap_or_default()
            }
            _ => &[],
        };
        Some((mark, segment))
    })
}

/// Refuses a WebP with a frame larger than its canvas, which the decoder would make room for before it compares, or with
/// a metadata chunk longer than the file.
pub(super) fn must_be_sound_webp(file: &[u8], canvas: (u32, u32)) -> Result<()> {
    let has_larger_frame = file.windows(18).any(|window| {
        lossy_frame(window).is_some_and(|(width, height)| width > canvas.0 || height > canvas.1)
    });
    if has_larger_frame || has_overlong_metadata(file) {
        return Err(unreadable());
    }
    Ok(())
}

/// Width and height, if a lossy frame begins here: chunk name, its length, three bytes, a signature, two sides.
fn lossy_frame(bytes: &[u8]) -> Option<(u32, u32)> {
    let (b"VP8 ", rest) = bytes.split_first_chunk::<4>()? else {
        return None;
    };
    let sides = rest.get(7..)?.strip_prefix(&[0x9D, 0x01, 0x2A])?;
    let side = |at: usize| {
        let bytes = sides.get(at..at + 2)?.try_into().ok()?;
        Some(u32::from(u16::from_le_bytes(bytes) & 0x3FFF))
    };
    Some((side(0)?, side(2)?))
}

/// Walks the chunks after the RIFF header: name, length, as many bytes, one more if that is odd.
fn has_overlong_metadata(file: &[u8]) -> bool {
    let mut rest = file.get(12..).unwrap_or_default();
    while let Some((name, tail)) = rest.split_first_chunk::<4>()
        && let Some((length, tail)) = tail.split_first_chunk::<4>()
    {
        let length = u64::from(u32::from_le_bytes(*length));
        let padded = usize::try_from(length + length % 2).unwrap_or(usize::MAX);
        match tail.get(padded..) {
            Some(next) => rest = next,
            None => return name == b"EXIF" && length > tail.len() as u64,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_preview_before_the_pixels_does_not_end_the_picture() {
        let head = [0xFF, 0xD8, 0xFF, 0xE1, 0, 6, 1, 2, 0xFF, 0xD9];
        let cut = [&head[..], &[0xFF, START_OF_SCAN, 0, 2, 7, 7]].concat();
        assert!(must_be_whole_jpeg(&cut).is_err());
        let whole = [&cut[..], &END_OF_IMAGE, b"<html>"].concat();
        assert!(must_be_whole_jpeg(&whole).is_ok());
        assert!(must_be_whole_jpeg(&head).is_err());
    }

    #[test]
    fn a_jpeg_with_more_scans_than_any_picture_needs_is_refused() {
        let scans = |count: usize| {
            let scans = [0xFF, START_OF_SCAN, 0, 2].repeat(count);
            [&[0xFF, 0xD8], &scans[..], &END_OF_IMAGE].concat()
        };
        assert!(must_be_whole_jpeg(&scans(MAX_SCANS)).is_ok());
        assert!(must_be_whole_jpeg(&scans(MAX_SCANS + 1)).is_err());
    }

    #[test]
    fn what_a_progressive_picture_takes_follows_from_its_sides_and_the_thinning_of_its_colours() {
        let of = |sides: [u8; 4], factors: &[u8]| {
            let count = u8::try_from(factors.len()).unwrap();
            let components: Vec<u8> = factors.iter().flat_map(|both| [1, *both, 0]).collect();
            let length = 8 + 3 * count;
            let frame = [
                &[0xFF, 0xC2, 0, length, 8],
                &sides[..],
                &[count],
                &components,
            ]
            .concat();
            let head = [0xFF, 0xD8, 0xFF, 0xC4, 0, 2];
            coefficient_bytes(&[&head[..], &frame].concat())
        };
        // 3024 by 4032: 378 by 504 blocks.
        let phone = [0x0B, 0xD0, 0x0F, 0xC0];
        assert_eq!(of(phone, &[0x11]), Some(378 * 504 * 128));
        assert_eq!(of(phone, &[0x22, 0x11, 0x11]), Some(189 * 252 * 6 * 128));
        assert_eq!(of([0, 1, 0, 1], &[0x22, 0x11, 0x11]), Some(6 * 128));
        assert_eq!(of(phone, &[0, 0]), None);
        assert_eq!(coefficient_bytes(b"\xff\xd8\xff\xc2\0\x0b\x08"), None);
    }

    #[test]
    fn a_frame_must_not_be_larger_than_its_canvas() {
        let file = b"RIFF----WEBPVP8 \x0a\0\0\0\x10\x02\0\x9d\x01\x2a\x10\x00\x20\x00";
        assert!(must_be_sound_webp(file, (16, 32)).is_ok());
        assert!(must_be_sound_webp(file, (16, 31)).is_err());
        assert!(must_be_sound_webp(file, (1, 1)).is_err());
    }

    #[test]
    fn metadata_must_not_be_longer_than_the_file() {
        let fits = b"RIFF----WEBPVP8X\x01\0\0\0a\0EXIF\x02\0\0\0ab";
        assert!(must_be_sound_webp(fits, (1, 1)).is_ok());
        let over = b"RIFF----WEBPVP8X\x01\0\0\0a\0EXIF\xff\xff\xff\xffab";
        assert!(must_be_sound_webp(over, (1, 1)).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_without_a_panic(bytes: Vec<u8>, canvas: (u32, u32)) {
            let jpeg = [&[0xFF, 0xD8][..], &bytes].concat();
            let webp = [&b"RIFF----WEBP"[..], &bytes].concat();
            prop_assert!(must_be_whole_jpeg(&bytes).is_err() || bytes.len() > 4);
            let _ = must_be_whole_jpeg(&jpeg);
            let _ = coefficient_bytes(&jpeg);
            let _ = must_be_sound_webp(&webp, canvas);
        }
    }
}
