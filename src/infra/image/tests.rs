//! What becomes of files that strangers send.

use super::{decoding::picture, *};
use crate::domain::error::Violation;
use image::{
    DynamicImage, ExtendedColorType, ImageEncoder as _, ImageFormat, Rgb, RgbImage, Rgba,
    RgbaImage, codecs::jpeg::JpegEncoder,
};
use proptest::prelude::*;
use std::io::Cursor;

mod bombs;
mod frames;
mod memory;

const RED: Rgb<u8> = Rgb([255, 0, 0]);
const BLUE: Rgb<u8> = Rgb([0, 0, 255]);

/// A picture whose left half is red and whose right half is blue.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { RED } else { BLUE })
}

fn file(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    file(image, ImageFormat::Png)
}

/// A PNG chunk with its checksum (PNG, annex D).
fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [&name[..], data].concat();
    let crc = named.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }
        })
    });
    let length = u32::try_from(data.len()).unwrap();
    [&length.to_be_bytes()[..], &named, &(!crc).to_be_bytes()].concat()
}

/// The codes of a refusal of the field `file`.
#[track_caller]
fn refusal(file: &[u8]) -> &'static str {
    match picture(file) {
        Err(Error::Invalid(broken)) => match broken.as_slice() {
            [
                Violation {
                    field: "file",
                    code,
                    ..
                },
            ] => code,
            other => panic!("{other:?}"),
        },
        Err(Error::UnsupportedKind) => "unsupported",
        other => panic!("{other:?}"),
    }
}

fn opened(file: &[u8]) -> RgbaImage {
    assert_eq!(image::guess_format(file).unwrap(), ImageFormat::Png);
    image::load_from_memory(file).unwrap().into_rgba8()
}

/// Whether a pixel is about this colour; JPEG keeps none exactly.
#[track_caller]
fn assert_like(pixel: Rgba<u8>, colour: Rgb<u8>) {
    let [r, g, b, _] = pixel.0;
    let near = [r, g, b]
        .into_iter()
        .zip(colour.0)
        .all(|(a, b)| a.abs_diff(b) < 40);
    assert!(near, "{pixel:?} is not {colour:?}");
}

#[test]
fn every_supported_form_becomes_a_square_in_both_sizes() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        for (width, height) in [(1, 1), (300, 200), (1500, 2000)] {
            let picture = picture(&file(halves(width, height), format)).unwrap();
            assert_eq!(
                opened(&picture.large).dimensions(),
                (512, 512),
                "{format:?}"
            );
            assert_eq!(opened(&picture.small).dimensions(), (64, 64), "{format:?}");
        }
    }
}

#[test]
fn the_middle_of_the_longer_side_is_kept() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        let wide = picture(&file(halves(3000, 1200), format)).unwrap();
        let wide = opened(&wide.large);
        assert_like(*wide.get_pixel(100, 256), RED);
        assert_like(*wide.get_pixel(400, 256), BLUE);
    }
}

#[test]
fn transparency_is_kept() {
    let clear = RgbaImage::from_pixel(100, 100, Rgba([9, 9, 9, 0]));
    let picture = picture(&png(clear)).unwrap();
    assert_eq!(opened(&picture.large).get_pixel(256, 256).0[3], 0);
}

#[test]
fn v14_2_8_a_picture_is_turned_upright_and_loses_its_metadata() {
    let mut sent = Vec::new();
    let mut encoder = JpegEncoder::new(&mut sent);
    // Little endian, one entry: orientation (0x0112) is 6, to be turned right by a quarter; then a canary.
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    exif.extend_from_slice(b"GPS-CANARY");
    encoder.set_exif_metadata(exif).unwrap();
    let image = halves(400, 200);
    encoder
        .write_image(&image, 400, 200, ExtendedColorType::Rgb8)
        .unwrap();
    let has_canary = |bytes: &[u8]| bytes.windows(10).any(|part| part == b"GPS-CANARY");
    assert!(has_canary(&sent));
    let picture = picture(&sent).unwrap();
    let upright = opened(&picture.large);
    assert_like(*upright.get_pixel(256, 50), RED);
    assert_like(*upright.get_pixel(256, 460), BLUE);
    assert!(!has_canary(&picture.large) && !has_canary(&picture.small));
}

#[test]
fn what_follows_or_lies_beside_the_pixels_is_gone() {
    let whole = png(halves(20, 20));
    let (head, rest) = whole.split_at(33);
    let text = chunk(*b"tEXt", b"Comment\0<script>canary</script>");
    let polyglot = [head, &text, rest, b"<html><script>canary</script>"].concat();
    let made = picture(&polyglot).unwrap();
    for bytes in [made.large, made.small] {
        assert!(!bytes.windows(6).any(|part| part == b"canary"));
    }
    let jpeg = [
        file(halves(20, 20), ImageFormat::Jpeg),
        b"<html>canary".to_vec(),
    ]
    .concat();
    assert!(picture(&jpeg).is_ok());
}

#[test]
fn v5_2_2_what_is_no_picture_of_ours_is_of_an_unsupported_kind() {
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let gif = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
    let bmp = b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0";
    for other in [
        &svg[..],
        gif,
        bmp,
        b"",
        b"<html>",
        b"\x89PN",
        b"II*\0",
        b"RIFF----WAVE",
    ] {
        assert_eq!(refusal(other), "unsupported", "{other:?}");
    }
}

#[test]
fn a_picture_that_is_cut_off_is_refused() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        let noise = RgbImage::from_fn(90, 90, |x, y| {
            let value = u8::try_from((x * 7919 + y * 104_729) % 251).unwrap();
            Rgb([value, value.wrapping_mul(3), value.wrapping_mul(7)])
        });
        let whole = file(noise, format);
        assert!(picture(&whole).is_ok());
        for part in [4, 2] {
            let cut = whole.split_at(whole.len() * (part - 1) / part).0;
            assert_eq!(refusal(cut), "format", "{format:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn f35_no_damaged_file_makes_the_decoders_panic(at: prop::sample::Index, bytes: [u8; 4], form in 0..3_usize) {
        let format = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP][form];
        let mut damaged = file(halves(24, 16), format);
        let at = at.index(damaged.len());
        for (old, new) in damaged.iter_mut().skip(at).zip(bytes) {
            *old = new;
        }
        let _ = picture(&damaged);
    }
}

fn person(number: u128) -> UserId {
    UserId(uuid::Uuid::from_u128(number))
}

#[test]
fn nobody_sends_two_pictures_at_once_and_few_people_send_one() {
    let images = Images::new();
    let first = images.reserve(person(0)).unwrap();
    let busy = |slot| matches!(slot, Err(Error::Unavailable(Part::Images)));
    assert!(busy(images.reserve(person(0))));
    let others: Vec<_> = (1..8).map(|n| images.reserve(person(n)).unwrap()).collect();
    assert!(busy(images.reserve(person(9))));
    drop(first);
    assert!(!busy(images.reserve(person(9))));
    drop(others);
    assert!(images.0.in_hand.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_told_to_come_back() {
    let images = Images::new();
    let turn = Arc::clone(&images.0.worker).acquire_owned().await.unwrap();
    let slot = images.reserve(person(0)).unwrap();
    let waited = slot.prepare(Bytes::from_static(b"x")).await;
    assert!(matches!(waited, Err(Error::Unavailable(Part::Images))));
    drop(turn);
}
