//! How much memory the largest pictures take that are taken. The runner gives each test a process of its own, so nothing else
//! is counted.

use super::*;
use crate::infra::image::bounds::MAX_MEMORY;
use image::{GrayImage, Luma};
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const MIB: usize = 1024 * 1024;

/// What decoding this file takes at most, beside the file.
#[track_caller]
fn peak(file: &[u8]) -> usize {
    HEAP.reset_peak_usage();
    let before = HEAP.current_usage();
    let made = picture(file).unwrap();
    let peak = HEAP.peak_usage() - before;
    assert_eq!(opened(&made.large).dimensions(), (512, 512));
    peak
}

#[test]
fn v5_2_3_photographs_of_25_megapixels_take_little() {
    let grey = |width, height| png(GrayImage::from_pixel(width, height, Luma([9])));
    for file in [
        jpeg(BASELINE, (5_000, 5_000)),
        jpeg(BASELINE, (10_000, 2_500)),
        grey(5_000, 5_000),
        grey(2_500, 10_000),
        png(RgbaImage::from_pixel(2_550, 2_550, Rgba([9; 4]))),
    ] {
        let peak = peak(&file);
        assert!(peak < 16 * MIB, "{} KiB", peak / 1024);
    }
}

#[test]
fn v5_2_3_what_is_decoded_as_a_whole_keeps_within_the_bound() {
    let bound = usize::try_from(MAX_MEMORY).unwrap();
    // The rows of one of the colours wait for a processor that is free: on a busy machine all of them.
    let rows = 4_032 * 3_024 * 2;
    for (file, least, waiting) in [
        (jpeg(PROGRESSIVE, (4_032, 3_024)), 35, rows),
        (webp(RgbImage::from_pixel(2_680, 2_680, RED)), 40, 0),
        (
            webp(RgbaImage::from_pixel(2_130, 2_130, Rgba([9; 4]))),
            16,
            0,
        ),
    ] {
        let peak = peak(&file);
        let is_bounded = peak <= bound + waiting && peak > least * MIB;
        assert!(is_bounded, "{} MiB", peak / MIB);
    }
}

#[test]
fn v5_2_3_what_would_take_more_as_a_whole_is_refused() {
    let claiming = |side: u32, alpha: u32| {
        let mut file = webp(halves(16, 16));
        let sides = file.windows(4).position(|name| name == b"VP8L").unwrap() + 9;
        let claim = (side - 1) | (side - 1) << 14 | alpha << 28;
        file[sides..sides + 4].copy_from_slice(&claim.to_le_bytes());
        file
    };
    for file in [
        jpeg(PROGRESSIVE, (5_000, 4_000)),
        claiming(2_682, 0),
        claiming(2_140, 1),
    ] {
        HEAP.reset_peak_usage();
        let before = HEAP.current_usage();
        assert_eq!(refusal(&file), "too_large");
        assert!(HEAP.peak_usage() - before < MIB);
    }
}

fn webp(image: impl Into<DynamicImage>) -> Vec<u8> {
    file(image, ImageFormat::WebP)
}

/// The marks of the two processes.
const BASELINE: u8 = 0xC0;
const PROGRESSIVE: u8 = 0xC2;

/// A grey JPEG with colours of half the sides; of a progressive one only the first scan is there.
fn jpeg(process: u8, (width, height): (u16, u16)) -> Vec<u8> {
    let segment = |mark: u8, data: &[u8]| {
        let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
        [&[0xFF, mark], &length[..], data].concat()
    };
    let sides = [height.to_be_bytes(), width.to_be_bytes()].concat();
    let components = [1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0];
    let frame = [&[8], &sides[..], &[3], &components].concat();
    // One code of one bit: that a block is as light as the one before it, or that no more of it follows.
    let table = |of: u8| [&[of, 1][..], &[0; 15], &[0]].concat();
    let (last, bits) = if process == BASELINE { (63, 2) } else { (0, 1) };
    let units = usize::from(width.div_ceil(16)) * usize::from(height.div_ceil(16));
    let parts = [
        vec![0xFF, 0xD8],
        segment(0xDB, &[&[0][..], &[1; 64]].concat()),
        segment(process, &frame),
        segment(0xC4, &[table(0), table(0x10)].concat()),
        // As long as a photograph, so that it is no bomb.
        segment(0xFE, &vec![b'x'; 60_000]).repeat(20),
        segment(0xDA, &[3, 1, 0, 2, 0, 3, 0, 0, last, 0]),
        vec![0; units * 6 * bits / 8 + 1],
        vec![0xFF, 0xD9],
    ];
    parts.concat()
}
