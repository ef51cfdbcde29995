//! Animations: the first frame is the picture.

use super::*;

fn flat(colour: Rgb<u8>) -> RgbImage {
    RgbImage::from_pixel(16, 16, colour)
}

/// The chunks of a PNG: name and data.
fn chunks(png: &[u8]) -> Vec<([u8; 4], Vec<u8>)> {
    let mut all = Vec::new();
    let mut left = &png[8..];
    while let [a, b, c, d, tail @ ..] = left {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        all.push((tail[..4].try_into().unwrap(), tail[4..4 + length].to_vec()));
        left = &tail[length + 8..];
    }
    all
}

#[test]
fn of_an_animated_png_the_first_frame_is_kept() {
    let (red, blue) = (png(flat(RED)), png(flat(BLUE)));
    let control = |sequence: u32| {
        let words = [sequence, 16, 16, 0, 0].map(u32::to_be_bytes).concat();
        [&words[..], &[0, 1, 0, 10, 0, 0]].concat()
    };
    let pixels = |of: &[u8]| {
        chunks(of)
            .into_iter()
            .find(|(name, _)| name == b"IDAT")
            .unwrap()
            .1
    };
    let header = chunks(&red)[0].1.clone();
    let animated = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(*b"IHDR", &header),
        chunk(*b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]),
        chunk(*b"fcTL", &control(0)),
        chunk(*b"IDAT", &pixels(&red)),
        chunk(*b"fcTL", &control(1)),
        chunk(
            *b"fdAT",
            &[&2_u32.to_be_bytes()[..], &pixels(&blue)].concat(),
        ),
        chunk(*b"IEND", &[]),
    ]
    .concat();
    let made = picture(&animated).unwrap();
    assert_like(*opened(&made.large).get_pixel(256, 256), RED);
}

#[test]
fn of_an_animated_webp_the_first_frame_is_kept() {
    fn part(name: [u8; 4], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap().to_le_bytes();
        let pad = vec![0; data.len() % 2];
        [&name[..], &length, data, &pad].concat()
    }
    let frame = |colour| {
        let still = file(flat(colour), ImageFormat::WebP);
        // At 0,0; 16 x 16; 100 ms; replaces what was there.
        let place = [0, 0, 0, 0, 0, 0, 15, 0, 0, 15, 0, 0, 100, 0, 0, 2];
        part(*b"ANMF", &[&place[..], &still[12..]].concat())
    };
    let body = [
        b"WEBP".to_vec(),
        part(*b"VP8X", &[2, 0, 0, 0, 15, 0, 0, 15, 0, 0]),
        part(*b"ANIM", &[0, 0, 0, 0, 0, 0]),
        frame(RED),
        frame(BLUE),
    ]
    .concat();
    let made = picture(&part(*b"RIFF", &body)).unwrap();
    assert_like(*opened(&made.large).get_pixel(256, 256), RED);
}

#[test]
fn an_interlaced_png_is_a_picture() {
    // Three by three, grey: the pixels of each pass, each row after the number of its filter.
    let passes: [&[u8]; 5] = [
        &[0, 10],
        &[0, 30],
        &[0, 70, 90],
        &[0, 20, 0, 80],
        &[0, 40, 50, 60],
    ];
    let rows = passes.concat();
    let length = u16::try_from(rows.len()).unwrap();
    let stored = [length.to_le_bytes(), (!length).to_le_bytes()].concat();
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in &rows {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    let sum = (high << 16 | low).to_be_bytes();
    let zlib = [&[0x78, 0x01, 1], &stored[..], &rows, &sum].concat();
    let header = [0, 0, 0, 3, 0, 0, 0, 3, 8, 0, 0, 0, 1];
    let file = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(*b"IHDR", &header),
        chunk(*b"IDAT", &zlib),
        chunk(*b"IEND", &[]),
    ]
    .concat();
    let made = opened(&picture(&file).unwrap().large);
    for (x, y, value) in [(40, 40, 10), (256, 256, 50), (470, 470, 90)] {
        let pixel = made.get_pixel(x, y).0[0];
        assert!(pixel.abs_diff(value) < 12, "{pixel} at {x}, {y}");
    }
}
