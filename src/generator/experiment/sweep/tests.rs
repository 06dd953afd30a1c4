//! Small sweeps.

use super::*;
use traceur_core::drawing::Page;
use traceur_core::pens::Inventory;

fn cells() -> Vec<Cell> {
    let pens = Inventory::built_in("fineliner-12").unwrap().pens;
    let page = Page { width: 40.0, height: 32.0 };
    let cell = |seed: u64, ink: f64| {
        let mut settings = Settings::new(page, "lite0:b2:11".parse().unwrap(), pens.clone());
        settings.margin = 4.0;
        (settings.free_steps, settings.tune_steps, settings.strokes) = (3, 3, Some(15));
        (settings.most_px, settings.seed, settings.weights.ink) = (20_000, seed, ink);
        let set = [("seed".to_owned(), seed.to_string()), ("x.<ink>".to_owned(), ink.to_string())];
        Cell { set: set.into(), settings }
    };
    vec![cell(1, 0.0), cell(1, 60.0), cell(2, 0.0), cell(2, 60.0)]
}

fn sweep(folder: &Path, workers: usize, steps: usize) -> Option<Vec<Row>> {
    let told = AtomicUsize::new(0);
    let host = Host {
        stop: &|| told.load(Ordering::Relaxed) >= steps,
        now: &|| Duration::from_secs(1),
        tell: &|event| {
            if let Event::Steps(steps) = event {
                told.fetch_add(steps, Ordering::Relaxed);
            }
        },
    };
    run(&cells(), folder, workers, host).unwrap()
}

fn table(rows: Vec<Row>) -> Table {
    Table::new("a <b> & c".into(), "why".into(), Some("x.<ink>".into()), rows)
}

#[test]
fn a_sweep_that_was_stopped_ends_as_one_that_was_not() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let whole = sweep(folders[0].path(), 1, usize::MAX).unwrap();
    assert_eq!(sweep(folders[1].path(), 2, 9), None);
    let own = |row: &Row| folders[1].path().join(&row.folder);
    assert!(whole.iter().any(|row| own(row).join("checkpoint").exists()));
    let rest = sweep(folders[1].path(), 2, usize::MAX).unwrap();
    assert_eq!(whole, rest);
    for row in &whole {
        let drawing = |folder: &tempfile::TempDir| {
            fs::read(folder.path().join(&row.folder).join("drawing.svg")).unwrap()
        };
        assert_eq!(drawing(&folders[0]), drawing(&folders[1]));
        assert!(!own(row).join("checkpoint").exists());
    }
    // Nothing is left to do: a worker that may not take a step finds all.
    assert_eq!(sweep(folders[1].path(), 1, usize::MAX), Some(rest));
}

#[test]
fn a_changed_setting_is_another_run() {
    let [a, b] = [&cells()[0], &cells()[1]].map(|cell| cell.settings.fingerprint());
    assert_ne!(a, b);
    assert_eq!(a, cells()[0].settings.fingerprint());
}

#[test]
fn tables_sheets_and_pages_have_all_runs_best_first() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(sweep(folder.path(), 2, usize::MAX).unwrap());
    let tuned: Vec<f32> = table.rows.iter().map(|row| row.excitation.tuned).collect();
    assert!(tuned.is_sorted_by(|a, b| a >= b), "{tuned:?}");
    let lines = table.lines();
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert_eq!(line[0].set["seed"], line[1].set["seed"]);
        assert_eq!((line[0].set["x.<ink>"].as_str(), line[1].set["x.<ink>"].as_str()), ("0", "60"));
    }
    let csv = table.to_csv();
    assert!(csv.starts_with("seed,x.<ink>,excitation,"), "{csv}");
    assert_eq!(csv.lines().count(), 5);
    let page = page(&table, folder.path()).unwrap();
    assert!(page.contains("<title>a &lt;b&gt; &amp; c</title>"));
    assert!(!page.contains("<ink>") && page.matches("<img").count() == 4);
    let sheet = contact_sheet(&table, folder.path()).unwrap();
    assert!(sheet.width() > 2 * 240 && sheet.height() > 2 * 240);
    // Letters and drawings are on it.
    assert!(sheet.pixels().filter(|pixel| pixel.0[0] < 100).count() > 200);
    assert!(sheet.pixels().filter(|pixel| pixel.0 == [255; 3]).count() > 4 * 10_000);
}
