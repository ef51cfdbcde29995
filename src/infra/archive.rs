//! Files packed into one (ZIP, ISO/IEC 21320-1). Entries carry no time of their own, so equal files pack equally.

use crate::domain::error::{Error, Result};
use std::io::{Cursor, Write as _};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// Packs these files, named by names of ours only.
pub fn zip(files: &[(&str, &[u8])]) -> Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    let mut packed = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        packed.start_file(*name, options).map_err(Error::internal)?;
        packed.write_all(bytes).map_err(Error::internal)?;
    }
    Ok(packed.finish().map_err(Error::internal)?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn what_is_packed_can_be_unpacked_and_packs_equally() {
        let long = vec![b'a'; 100_000];
        let files: [(&str, &[u8]); 2] = [("a.json", &long), ("b.png", b"\0\xff")];
        let packed = zip(&files).unwrap();
        assert!(packed.len() < 2_000, "{} bytes", packed.len());
        assert_eq!(packed, zip(&files).unwrap());
        let mut archive = zip::ZipArchive::new(Cursor::new(packed)).unwrap();
        for (name, bytes) in files {
            let mut read = Vec::new();
            archive
                .by_name(name)
                .unwrap()
                .read_to_end(&mut read)
                .unwrap();
            assert_eq!(read, bytes);
        }
    }
}
