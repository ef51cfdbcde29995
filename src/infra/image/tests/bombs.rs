//! Files that ask for far more than they bring.

use super::*;

/// The beginning of a PNG that claims these sides.
fn png_of(width: u32, height: u32, depth: u8) -> Vec<u8> {
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let header = [&sides[..], &[depth, 2, 0, 0, 0]].concat();
    let signature = b"\x89PNG\r\n\x1a\n";
    let pixels = chunk(*b"IDAT", &[0x78, 0x9C, 0x03, 0, 0, 0, 0, 1]);
    [
        &signature[..],
        &chunk(*b"IHDR", &header),
        &pixels,
        &chunk(*b"IEND", &[]),
    ]
    .concat()
}

#[test]
fn v5_2_4_a_header_is_enough_to_refuse_too_many_pixels() {
    for (width, height, depth) in [
        (50_000, 50_000, 8),
        (10_001, 1, 8),
        (1, 10_001, 8),
        (5_001, 5_000, 8),
        (5_000, 4_000, 16),
        (0x7FFF_FFFF, 0x7FFF_FFFF, 8),
    ] {
        assert_eq!(
            refusal(&png_of(width, height, depth)),
            "too_large",
            "{width} x {height}"
        );
    }
    // As large as may be, but nothing follows.
    assert_eq!(refusal(&png_of(100, 100, 8)), "format");
}

#[test]
fn v5_2_3_a_small_file_that_unpacks_to_much_is_refused() {
    let bomb = png(DynamicImage::new_rgb8(4_000, 3_000));
    assert!(bomb.len() < 200_000, "{}", bomb.len());
    assert_eq!(refusal(&bomb), "too_large");
    let flat = png(DynamicImage::new_rgb8(3_000, 3_000));
    assert!(picture(&flat).is_ok());
}

#[test]
fn a_jpeg_or_webp_that_claims_too_much_is_refused() {
    let mut jpeg = file(halves(16, 16), ImageFormat::Jpeg);
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xFF, 0xC0])
        .unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF]);
    assert_eq!(refusal(&jpeg), "too_large");
    let mut webp = file(halves(16, 16), ImageFormat::WebP);
    let sides = webp.windows(4).position(|name| name == b"VP8L").unwrap() + 9;
    webp[sides..sides + 3].copy_from_slice(&[0xFE, 0xFF, 0xFF]);
    assert_eq!(refusal(&webp), "too_large");
}

#[test]
fn a_colour_profile_that_unpacks_to_much_is_not_unpacked() {
    let whole = png(halves(8, 8));
    let (head, rest) = whole.split_at(33);
    // An IDAT of ours is zlib data: of a black picture it unpacks to 27 MB.
    let flat = png(DynamicImage::new_rgb8(3_000, 3_000));
    let mut zlib = Vec::new();
    let mut left = &flat[8..];
    while let [a, b, c, d, tail @ ..] = left {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        if tail.starts_with(b"IDAT") {
            zlib.extend_from_slice(&tail[4..4 + length]);
        }
        left = &tail[length + 8..];
    }
    let profile = chunk(*b"iCCP", &[&b"canary\0\0"[..], &zlib].concat());
    let sent = [head, &profile, rest].concat();
    assert!(sent.len() < 200_000);
    match picture(&sent) {
        Ok(_) | Err(Error::Invalid(_)) => {}
        other => panic!("{other:?}"),
    }
}
