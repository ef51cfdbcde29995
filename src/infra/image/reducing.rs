//! The square in the middle of a picture, made smaller row by row: each new pixel is the mean of a block of old ones.

use super::decoding::unreadable;
use crate::domain::error::Result;
use image::{DynamicImage, GrayAlphaImage, GrayImage, RgbImage, RgbaImage};

/// The least side to which a larger square is reduced before the fine work; it comes out with less than twice that.
pub(super) const ROUGH_SIDE: u32 = 512;

/// Takes the rows of a picture from top to bottom.
pub(super) struct Reducer {
    channels: usize,
    /// The side of a block.
    block: usize,
    /// Sides of the result.
    side: usize,
    /// Where the square begins.
    left: usize,
    top: usize,
    /// How many rows came.
    rows: usize,
    /// Of the blocks that are under way, by channel.
    sums: Vec<u32>,
    pixels: Vec<u8>,
}

impl Reducer {
    /// For a picture of this size with so many bytes a pixel.
    pub(super) fn new((width, height): (u32, u32), channels: usize) -> Self {
        let shorter = width.min(height);
        let block = (shorter / ROUGH_SIDE).max(1);
        let side = shorter / block;
        let number = |of: u32| usize::try_from(of).unwrap_or(usize::MAX);
        Self {
            channels,
            block: number(block),
            side: number(side),
            left: number((width - side * block) / 2),
            top: number((height - side * block) / 2),
            rows: 0,
            sums: vec![0; number(side) * channels],
            pixels: Vec::with_capacity(number(side) * number(side) * channels),
        }
    }

    /// Takes the next row.
    pub(super) fn push(&mut self, row: &[u8]) {
        let Self {
            channels, block, ..
        } = *self;
        let at = self.rows;
        self.rows += 1;
        let covered = self.side * block;
        let left = self.left * channels;
        let cut = row.get(left..left + covered * channels).unwrap_or_default();
        if at < self.top || at >= self.top + covered {
            return;
        }
        let blocks = cut.chunks_exact(block * channels);
        for (sums, block) in self.sums.chunks_exact_mut(channels).zip(blocks) {
            for pixel in block.chunks_exact(channels) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += u32::from(*value);
                }
            }
        }
        if (at - self.top + 1).is_multiple_of(block) {
            let area = u32::try_from(block * block).unwrap_or(u32::MAX);
            let mean = |sum: &mut u32| u8::try_from(std::mem::take(sum) / area).unwrap_or(u8::MAX);
            self.pixels.extend(self.sums.iter_mut().map(mean));
        }
    }

    /// The square, if all rows came.
    pub(super) fn finish(self) -> Result<DynamicImage> {
        let side = u32::try_from(self.side).unwrap_or(u32::MAX);
        let pixels = self.pixels;
        match self.channels {
            1 => GrayImage::from_raw(side, side, pixels).map(Into::into),
            2 => GrayAlphaImage::from_raw(side, side, pixels).map(Into::into),
            3 => RgbImage::from_raw(side, side, pixels).map(Into::into),
            _ => RgbaImage::from_raw(side, side, pixels).map(Into::into),
        }
        .ok_or_else(unreadable)
    }

    /// The square of a picture that is there as a whole.
    pub(super) fn reduce(size: (u32, u32), channels: usize, whole: &[u8]) -> Result<DynamicImage> {
        let mut reducer = Self::new(size, channels);
        let row = usize::try_from(size.0).unwrap_or(usize::MAX) * channels;
        whole
            .chunks_exact(row.max(1))
            .for_each(|row| reducer.push(row));
        reducer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reduced(width: u32, height: u32, pixel: impl Fn(u32, u32) -> u8) -> GrayImage {
        let whole = GrayImage::from_fn(width, height, |x, y| image::Luma([pixel(x, y)]));
        let reduced = Reducer::reduce((width, height), 1, &whole).unwrap();
        reduced.into_luma8()
    }

    #[test]
    fn what_is_small_is_only_cut_to_its_middle() {
        for (width, height) in [(1, 1), (5, 3), (3, 5), (600, 1023), (1023, 600)] {
            let side = width.min(height);
            let (left, top) = ((width - side) / 2, (height - side) / 2);
            let made = reduced(width, height, |x, y| ((x * 7 + y * 13) % 251) as u8);
            assert_eq!(made.dimensions(), (side, side));
            for (x, y, pixel) in made.enumerate_pixels() {
                let of = (x + left) * 7 + (y + top) * 13;
                assert_eq!(u32::from(pixel.0[0]), of % 251);
            }
        }
    }

    #[test]
    fn a_new_pixel_is_the_mean_of_its_block() {
        // Two by two, of 10, 20, 30 and 40.
        let made = reduced(1024, 1030, |x, y| {
            10 * (1 + (x % 2) as u8 + 2 * ((y + 1) % 2) as u8)
        });
        assert_eq!(made.dimensions(), (512, 512));
        assert!(made.pixels().all(|pixel| pixel.0 == [25]));
    }

    #[test]
    fn a_picture_with_rows_missing_is_none() {
        assert!(Reducer::reduce((4, 4), 3, &[0; 36]).is_err());
    }
}
