//! Records: length, payload, and a masked CRC-32C of each.

/// The record of a payload.
pub(super) fn of(payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(payload.len() + 16);
    record.extend(length);
    record.extend(masked(&length).to_le_bytes());
    record.extend(payload);
    record.extend(masked(payload).to_le_bytes());
    record
}

/// A CRC of bytes that hold CRCs would be weak: TensorFlow rotates and shifts each.
fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_rfc_and_of_tensorflow() {
        // RFC 3720, B.4: 32 bytes of zero.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(masked(&[0; 32]), 0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8));
        let record = of(b"abc");
        assert_eq!(
            (&record[..8], &record[12..15], record.len()),
            (&[3, 0, 0, 0, 0, 0, 0, 0][..], &b"abc"[..], 19)
        );
    }
}
