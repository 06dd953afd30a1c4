//! A film of a drawing as it evolves: an animated GIF.

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, DynamicImage, Frame, RgbImage};

use super::{Error, picture};
use crate::Picture;

/// Most frames, so that a film stays a few megabytes whatever the number of steps.
const MOST_FRAMES: usize = 120;
/// Longest edge of a frame; px.
const EDGE_PX: u32 = 480;
const FRAME_MS: u32 = 80;
/// How long the finished drawing is shown before the film begins again.
const LAST_MS: u32 = 3000;
/// The encoder's trade of the palette's quality for time, 1 to 30.
const HASTE: i32 = 10;

/// Frames of equal distance in steps.
#[derive(Debug)]
pub struct Timelapse {
    every: usize,
    frames: Vec<RgbImage>,
}

impl Timelapse {
    /// Before the first of `steps` steps.
    #[must_use]
    pub fn new(steps: usize) -> Self {
        Self { every: steps.div_ceil(MOST_FRAMES - 2).max(1), frames: Vec::new() }
    }

    /// Whether the picture after this many steps belongs in the film.
    #[must_use]
    pub fn wants(&self, step: usize) -> bool {
        step.is_multiple_of(self.every)
    }

    /// Adds a frame.
    pub fn push(&mut self, picture: &Picture) {
        self.frames.push(picture::thumbnail(picture, EDGE_PX));
    }

    /// The film; its last frame, of the finished drawing, is held.
    ///
    /// # Errors
    /// The encoder's.
    pub fn to_gif(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new_with_speed(&mut bytes, HASTE);
        encoder.set_repeat(Repeat::Infinite)?;
        for (index, frame) in self.frames.iter().enumerate() {
            let ms = if index + 1 == self.frames.len() { LAST_MS } else { FRAME_MS };
            let rgba = DynamicImage::from(frame.clone()).into_rgba8();
            encoder.encode_frame(Frame::from_parts(rgba, 0, 0, Delay::from_numer_denom_ms(ms, 1)))?;
        }
        drop(encoder);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::AnimationDecoder;
    use image::codecs::gif::GifDecoder;

    #[test]
    fn a_film_has_at_most_120_frames_and_holds_the_last() {
        for steps in [1, 24, 118, 119, 230, 10_000] {
            let film = Timelapse::new(steps);
            let frames = (0..=steps).filter(|step| film.wants(*step)).count();
            assert!((2..=MOST_FRAMES).contains(&(frames + 1)), "{steps} steps: {frames}");
        }
        let mut film = Timelapse::new(2);
        for light in [0.0, 0.5, 1.0] {
            film.push(&Picture { width_px: 20, height_px: 10, rgb: vec![[light; 3]; 200] });
        }
        let gif = film.to_gif().unwrap();
        let decoder = GifDecoder::new(std::io::Cursor::new(gif)).unwrap();
        let frames = decoder.into_frames().collect_frames().unwrap();
        let delays: Vec<u32> = frames.iter().map(|frame| frame.delay().numer_denom_ms().0).collect();
        assert_eq!(delays, [FRAME_MS, FRAME_MS, LAST_MS]);
        let middle: Vec<u8> = frames.iter().map(|frame| frame.buffer().get_pixel(9, 5).0[0]).collect();
        assert_eq!(middle, [0, 188, 255]);
    }
}
