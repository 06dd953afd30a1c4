//! Finding the swatch in a picture: its corner marks, which of them is which, and so the map from paper to pixels.

use super::Error;
use super::homography::Homography;
use super::layout::{DOT, RING, Swatch};
use super::scan::{Gray, Scan};
use traceur_core::geometry::{Point, Rect};

/// Longer edge of the copy that marks are looked for in; px.
const LONGEST: usize = 2000;
/// Edge of the squares whose brightest parts count as paper; px.
const TILE: usize = 32;
/// Most spots that look like marks, of which the corners are chosen.
const MOST_MARKS: usize = 24;

/// Where the swatch lies in the picture.
pub(super) fn locate(scan: &Scan, swatch: &Swatch) -> Result<Homography, Error> {
    let gray = scan.darkest(LONGEST);
    let marks = bullseyes(&gray);
    if marks.len() < 4 {
        return Err(Error::Scan(format!(
            "{} of the 4 corner marks found (a dot in a ring each): the whole chart must be in the picture, sharp and evenly lit, at 200 dpi or more",
            marks.len()
        )));
    }
    let mut best: Option<(f64, Homography)> = None;
    for corners in quads(&marks) {
        let corners = corners.map(|mark| mark.middle);
        for turn in 0..8 {
            // Four turns, and the same of a mirrored picture.
            let seen: [Point; 4] = std::array::from_fn(|index| {
                corners[if turn < 4 { (index + turn) % 4 } else { (turn - index) % 4 }]
            });
            let Some(map) = Homography::of(&swatch.corners(), &seen) else { continue };
            let score = fit(scan, swatch, &map);
            if best.as_ref().is_none_or(|(best, _)| score > *best) {
                best = Some((score, map));
            }
        }
    }
    match best {
        Some((score, map)) if score > 0.25 => Ok(refined(scan, swatch, &map)),
        _ => Err(Error::Scan(
            "marks were found, but not where this chart has them: was it made with other pens or on another --page?".into(),
        )),
    }
}

/// How well a map fits: the bar is dark and its mirror images are not, the marks are dots and rings.
fn fit(scan: &Scan, swatch: &Swatch, map: &Homography) -> f64 {
    let corners = swatch.corners();
    let key = swatch.key();
    let dark = |rect: Rect| {
        let mut sum = 0.0;
        for step in 0..25 {
            let share = |part: i32| 0.15 + 0.7 * f64::from(part) / 4.0;
            let at = Point::new(
                rect.x0 + share(step % 5) * rect.width(),
                rect.y0 + share(step / 5) * rect.height(),
            );
            let seen = map.apply(at);
            if !seen.is_finite() || !scan.holds(seen) {
                return 0.0;
            }
            sum += 1.0 - scan.light_at(seen).into_iter().fold(f64::MAX, f64::min);
        }
        sum / 25.0
    };
    let middle = key.center() - corners[0];
    let size = (key.width(), key.height());
    let turned = |corner: Point, x: f64, y: f64, upright: bool| {
        let size = if upright { (size.1, size.0) } else { size };
        dark(Rect::from_center_size(Point::new(corner.x + x, corner.y + y), size))
    };
    // The same place beside the other marks, and along the other edge of the first, is white (there may be a title).
    let others = [
        turned(corners[0], 0.0, middle.x, true),
        turned(corners[1], 0.0, middle.x, true),
        turned(corners[3], 0.0, -middle.x, true),
    ];
    let white = others.into_iter().fold(0.0, f64::max);
    let mut rings = f64::MAX;
    for corner in corners {
        let at = |radius: f64| {
            let mut sum = 0.0;
            for step in 0..12 {
                let angle = std::f64::consts::TAU * f64::from(step) / 12.0;
                let spot = corner + radius * swatch.marks * traceur_core::geometry::Vec2::from_angle(angle);
                sum += 1.0 - scan.light_at(map.apply(spot)).into_iter().fold(f64::MAX, f64::min);
            }
            sum / 12.0
        };
        let ring = at((RING[0] + RING[1]) / 2.0);
        rings = rings.min(ring - at((DOT + RING[0]) / 2.0)).min(at(DOT / 2.0) - at((DOT + RING[0]) / 2.0));
    }
    (dark(key) - white).min(rings)
}

/// The map through the middles of the dots as the full picture has them.
fn refined(scan: &Scan, swatch: &Swatch, map: &Homography) -> Homography {
    let mut map = *map;
    for _ in 0..3 {
        let seen = swatch.corners().map(|corner| {
            let edge = (DOT + RING[0]) / 2.0 * swatch.marks;
            let (mut sum, mut weight) = (Point::ORIGIN.to_vec2(), 0.0);
            let paper = scan.light_at(map.apply(corner + traceur_core::geometry::Vec2::new(edge, 0.0)));
            let paper = paper.into_iter().fold(f64::MAX, f64::min);
            const HALF: i32 = 40;
            for row in -HALF..=HALF {
                for column in -HALF..=HALF {
                    let off = traceur_core::geometry::Vec2::new(f64::from(column), f64::from(row))
                        / f64::from(HALF);
                    if off.hypot2() > 1.0 {
                        continue;
                    }
                    let spot = map.apply(corner + off * edge);
                    let light = scan.light_at(spot).into_iter().fold(f64::MAX, f64::min);
                    let dark = (paper - light).max(0.0);
                    sum += spot.to_vec2() * dark;
                    weight += dark;
                }
            }
            if weight > 0.0 { (sum / weight).to_point() } else { map.apply(corner) }
        });
        match Homography::of(&swatch.corners(), &seen) {
            Some(better) => map = better,
            None => break,
        }
    }
    map
}

/// A dot in a ring.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// Its middle; px of the scan.
    middle: Point,
    /// Width of its ring; px of the scan.
    size: f64,
}

/// Four marks around, clockwise, of all choices that may be the swatch's corners: of like size, and the largest first.
fn quads(marks: &[Mark]) -> Vec<[Mark; 4]> {
    let mut quads: Vec<(f64, [Mark; 4])> = Vec::new();
    let n = marks.len();
    for a in 0..n {
        for b in a + 1..n {
            for c in b + 1..n {
                for d in c + 1..n {
                    let four = around([marks[a], marks[b], marks[c], marks[d]]);
                    let sizes = four.map(|mark| mark.size);
                    let (least, most) =
                        (sizes.into_iter().fold(f64::MAX, f64::min), sizes.into_iter().fold(0.0, f64::max));
                    let area = area(&four);
                    if most < 2.0 * least && area > 100.0 * most * most {
                        quads.push((area, four));
                    }
                }
            }
        }
    }
    quads.sort_by(|a, b| b.0.total_cmp(&a.0));
    quads.into_iter().take(100).map(|(_, four)| four).collect()
}

/// In the order of their directions from their middle: clockwise, y being down.
fn around(mut four: [Mark; 4]) -> [Mark; 4] {
    let middle = four.iter().fold(Point::ORIGIN.to_vec2(), |sum, mark| sum + mark.middle.to_vec2()) / 4.0;
    let angle = |mark: &Mark| (mark.middle.to_vec2() - middle).atan2();
    four.sort_by(|a, b| angle(a).total_cmp(&angle(b)));
    four
}

/// Area of a quadrilateral if all its corners turn one way, else 0.
fn area(four: &[Mark; 4]) -> f64 {
    let at = |index: usize| four[index % 4].middle;
    let turns = (0..4).all(|index| (at(index + 1) - at(index)).cross(at(index + 2) - at(index + 1)) > 0.0);
    if turns { ((at(2) - at(0)).cross(at(3) - at(1)) / 2.0).abs() } else { 0.0 }
}

/// A patch of connected dark pixels.
#[derive(Debug, Clone, Copy)]
struct Blob {
    bounds: [usize; 4],
    pixels: usize,
    middle: Point,
}

impl Blob {
    fn width(&self) -> f64 {
        (self.bounds[2] - self.bounds[0] + 1) as f64
    }

    fn height(&self) -> f64 {
        (self.bounds[3] - self.bounds[1] + 1) as f64
    }

    fn size(&self) -> f64 {
        self.width().max(self.height())
    }

    fn fill(&self) -> f64 {
        self.pixels as f64 / (self.width() * self.height())
    }
}

/// Dark dots in the middle of dark rings.
fn bullseyes(gray: &Gray) -> Vec<Mark> {
    let blobs = blobs(gray, &darker_than_paper(gray));
    let squat = |blob: &&Blob| blob.width() < 2.2 * blob.height() && blob.height() < 2.2 * blob.width();
    let mut dots: Vec<&Blob> =
        blobs.iter().filter(squat).filter(|blob| blob.size() >= 3.0 && blob.fill() > 0.5).collect();
    dots.sort_by(|a, b| a.middle.y.total_cmp(&b.middle.y));
    let mut marks: Vec<(f64, Mark)> = Vec::new();
    for ring in blobs.iter().filter(squat).filter(|blob| blob.size() >= 8.0 && blob.fill() < 0.75) {
        let reach = 0.12 * ring.size();
        // Of a picture of noise, with very many dots, only those beside the ring are looked at.
        let first = dots.partition_point(|dot| dot.middle.y < ring.middle.y - reach);
        let beside = dots[first..].iter().take_while(|dot| dot.middle.y <= ring.middle.y + reach);
        let inside = beside.filter(|dot| {
            let ratio = ring.size() / dot.size();
            (1.9..4.0).contains(&ratio) && dot.middle.distance(ring.middle) < reach
        });
        let nearest =
            inside.min_by(|a, b| a.middle.distance(ring.middle).total_cmp(&b.middle.distance(ring.middle)));
        if let Some(dot) = nearest {
            let step = gray.step as f64;
            let ratio = ring.size() / dot.size();
            let middle = Point::new((dot.middle.x + 0.5) * step, (dot.middle.y + 0.5) * step);
            let off = (ratio - RING[1] / DOT).abs() + dot.middle.distance(ring.middle);
            marks.push((off, Mark { middle, size: ring.size() * step }));
        }
    }
    marks.sort_by(|a, b| a.0.total_cmp(&b.0));
    marks.into_iter().take(MOST_MARKS).map(|(_, mark)| mark).collect()
}

/// Which pixels are clearly darker than the paper around them.
fn darker_than_paper(gray: &Gray) -> Vec<bool> {
    let (across, down) = (gray.width_px.div_ceil(TILE), gray.height_px.div_ceil(TILE));
    let mut bright = vec![0_u8; across * down];
    for (index, bright) in bright.iter_mut().enumerate() {
        let (left, top) = (index % across * TILE, index / across * TILE);
        let mut values: Vec<u8> = Vec::with_capacity(TILE * TILE);
        for y in top..(top + TILE).min(gray.height_px) {
            values.extend(
                &gray.values[y * gray.width_px + left..y * gray.width_px + (left + TILE).min(gray.width_px)],
            );
        }
        let at = (values.len() * 9 / 10).min(values.len() - 1);
        let (_, value, _) = values.select_nth_unstable(at);
        *bright = *value;
    }
    let around = |x: usize, y: usize| {
        let mut most = 0;
        for row in y.saturating_sub(1)..(y + 2).min(down) {
            for column in x.saturating_sub(1)..(x + 2).min(across) {
                most = most.max(bright[row * across + column]);
            }
        }
        most
    };
    let paper: Vec<u8> = (0..across * down).map(|index| around(index % across, index / across)).collect();
    let dark = |(index, value): (usize, &u8)| {
        let (x, y) = (index % gray.width_px, index / gray.width_px);
        let paper = paper[y / TILE * across + x / TILE];
        paper > 60 && u32::from(*value) * 100 < u32::from(paper) * 72
    };
    gray.values.iter().enumerate().map(dark).collect()
}

/// The patches of dark pixels that touch by edges or corners.
fn blobs(gray: &Gray, dark: &[bool]) -> Vec<Blob> {
    let (width, height) = (gray.width_px, gray.height_px);
    let mut seen = vec![false; dark.len()];
    let mut blobs = Vec::new();
    let mut todo = Vec::new();
    for start in 0..dark.len() {
        if !dark[start] || seen[start] {
            continue;
        }
        seen[start] = true;
        todo.push(start);
        let mut bounds = [width, height, 0, 0];
        let (mut pixels, mut sum) = (0_usize, (0_usize, 0_usize));
        while let Some(at) = todo.pop() {
            let (x, y) = (at % width, at / width);
            bounds = [bounds[0].min(x), bounds[1].min(y), bounds[2].max(x), bounds[3].max(y)];
            pixels += 1;
            sum = (sum.0 + x, sum.1 + y);
            for row in y.saturating_sub(1)..(y + 2).min(height) {
                for column in x.saturating_sub(1)..(x + 2).min(width) {
                    let next = row * width + column;
                    if dark[next] && !seen[next] {
                        seen[next] = true;
                        todo.push(next);
                    }
                }
            }
        }
        let middle = Point::new(sum.0 as f64 / pixels as f64, sum.1 as f64 / pixels as f64);
        blobs.push(Blob { bounds, pixels, middle });
    }
    blobs
}
