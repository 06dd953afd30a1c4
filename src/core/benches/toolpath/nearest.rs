//! What most plotter programs do.

use traceur_core::geometry::{Point, Polyline};

/// Always the nearest end next, on a grid of about two ends a cell of an A3 sheet.
pub(crate) fn order(strokes: Vec<Polyline>) -> Vec<Polyline> {
    let mut grid = Grid::new(&strokes);
    let mut at = Point::ORIGIN;
    let mut ordered = Vec::with_capacity(strokes.len());
    while let Some(end) = grid.take_nearest(at, &strokes) {
        let mut stroke = strokes[end / 2].clone();
        if end % 2 == 1 {
            stroke.reverse();
        }
        at = stroke.end();
        ordered.push(stroke);
    }
    ordered
}

struct Grid {
    cells: Vec<Vec<(Point, usize)>>,
    size: i64,
    step: f64,
}

impl Grid {
    fn new(strokes: &[Polyline]) -> Self {
        let size = (strokes.len() as f64).sqrt().ceil().max(1.0);
        let step = 430.0 / size;
        let mut grid = Self { cells: vec![Vec::new(); (size * size) as usize], size: size as i64, step };
        for (index, stroke) in strokes.iter().enumerate() {
            for (side, point) in [stroke.start(), stroke.end()].into_iter().enumerate() {
                let cell = grid.cell_of(point);
                let cell = grid.index(cell);
                grid.cells[cell].push((point, 2 * index + side));
            }
        }
        grid
    }

    fn cell_of(&self, point: Point) -> (i64, i64) {
        let along = |x: f64| ((x / self.step) as i64).clamp(0, self.size - 1);
        (along(point.x), along(point.y))
    }

    fn index(&self, (x, y): (i64, i64)) -> usize {
        (y * self.size + x) as usize
    }

    /// The end nearest to `at`, searching ring by ring; its stroke leaves the grid.
    fn take_nearest(&mut self, at: Point, strokes: &[Polyline]) -> Option<usize> {
        let (x, y) = self.cell_of(at);
        let mut best: Option<(f64, usize)> = None;
        for ring in 0..self.size {
            if best.is_some_and(|(distance, _)| distance <= (ring - 1) as f64 * self.step) {
                break;
            }
            for cy in (y - ring).max(0)..=(y + ring).min(self.size - 1) {
                let step = if (cy - y).abs() == ring { 1 } else { (2 * ring).max(1) };
                for cx in
                    (x - ring..=x + ring).step_by(step as usize).filter(|cx| (0..self.size).contains(cx))
                {
                    for (point, end) in &self.cells[self.index((cx, cy))] {
                        let distance = point.distance(at);
                        if best.is_none_or(|(least, _)| distance < least) {
                            best = Some((distance, *end));
                        }
                    }
                }
            }
        }
        let end = best?.1;
        for point in [strokes[end / 2].start(), strokes[end / 2].end()] {
            let cell = self.index(self.cell_of(point));
            self.cells[cell].retain(|(_, other)| other / 2 != end / 2);
        }
        Some(end)
    }
}
