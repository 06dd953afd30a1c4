//! Where lines should run: along what is drawn in the picture.

use crate::Canvas;

/// Edge of the cells in which directions are known; px.
const CELL: usize = 8;
/// Directions are smoothed by this many passes of a 3 x 3 mean.
const SMOOTHING: usize = 3;
/// Where nothing has a direction, lines run this way; radians.
const BASE: f32 = -0.9;

/// Directions of a picture.
#[derive(Debug)]
pub(super) struct Flow {
    columns: usize,
    rows: usize,
    /// Cosine and sine of twice the angle of each cell, by weight.
    doubled: Vec<[f32; 2]>,
}

impl Flow {
    /// The directions of sRGB planes [3, H, W]: across the steepest change, smoothed.
    pub(super) fn new(rgb: &[f32], canvas: &Canvas) -> Self {
        let (width, height) = (canvas.width_px, canvas.height_px);
        let plane = width * height;
        let light = |x: usize, y: usize| {
            rgb[y * width + x] + rgb[plane + y * width + x] + rgb[2 * plane + y * width + x]
        };
        let (columns, rows) = (width.div_ceil(CELL), height.div_ceil(CELL));
        let mut doubled = vec![[0.0_f32; 2]; columns * rows];
        for y in 2..height.saturating_sub(2) {
            for x in 2..width.saturating_sub(2) {
                let (gx, gy) = (light(x + 2, y) - light(x - 2, y), light(x, y + 2) - light(x, y - 2));
                let cell = &mut doubled[y / CELL * columns + x / CELL];
                // Turned by a right angle: along the edge.
                cell[0] -= gx * gx - gy * gy;
                cell[1] -= 2.0 * gx * gy;
            }
        }
        let mut flow = Self { columns, rows, doubled };
        (0..SMOOTHING).for_each(|_| flow.smooth());
        flow
    }

    fn smooth(&mut self) {
        let mut smooth = self.doubled.clone();
        for row in 0..self.rows {
            for column in 0..self.columns {
                let mut sum = [0.0; 2];
                for y in row.saturating_sub(1)..(row + 2).min(self.rows) {
                    for x in column.saturating_sub(1)..(column + 2).min(self.columns) {
                        let cell = self.doubled[y * self.columns + x];
                        sum = [sum[0] + cell[0] / 9.0, sum[1] + cell[1] / 9.0];
                    }
                }
                smooth[row * self.columns + column] = sum;
            }
        }
        self.doubled = smooth;
    }

    /// The direction at a point, a unit vector whose sign means nothing.
    pub(super) fn at(&self, x: f32, y: f32) -> [f32; 2] {
        let column = ((x.max(0.0) as usize) / CELL).min(self.columns - 1);
        let row = ((y.max(0.0) as usize) / CELL).min(self.rows - 1);
        let [cos, sin] = self.doubled[row * self.columns + column];
        // A weak direction yields to the base one.
        let weak = 0.4;
        let angle = 0.5 * (sin + weak * (2.0 * BASE).sin()).atan2(cos + weak * (2.0 * BASE).cos());
        [angle.cos(), angle.sin()]
    }

    /// A cubic of length `length` through a point, along the flow: x and y of four points.
    pub(super) fn trace(&self, x: f32, y: f32, length: f32) -> [f32; 8] {
        let walk = |sign: f32| {
            let mut points = [[x, y]; 4];
            let [mut dx, mut dy] = self.at(x, y).map(|d| d * sign);
            for i in 1..4 {
                let [px, py] = points[i - 1];
                let [nx, ny] = self.at(px, py);
                let same = if nx * dx + ny * dy < 0.0 { -1.0 } else { 1.0 };
                (dx, dy) = (same * nx, same * ny);
                points[i] = [px + dx * length / 6.0, py + dy * length / 6.0];
            }
            points
        };
        let (back, forth) = (walk(-1.0), walk(1.0));
        // The cubic through both ends and the thirds between them.
        let ends = [back[3], back[1], forth[1], forth[3]];
        let handle = |i: usize, a: [f32; 2], b: [f32; 2], c: [f32; 2], d: [f32; 2]| {
            (-5.0 * a[i] + 18.0 * b[i] - 9.0 * c[i] + 2.0 * d[i]) / 6.0
        };
        let [a, b, c, d] = ends;
        let first = [handle(0, a, b, c, d), handle(1, a, b, c, d)];
        let second = [handle(0, d, c, b, a), handle(1, d, c, b, a)];
        [a[0], a[1], first[0], first[1], second[0], second[1], d[0], d[1]]
    }
}
