//! A drawing in the making: checkpoints, Ctrl-C, logs, films, and what the terminal shows meanwhile.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use indicatif::ProgressBar;

use super::interrupt::Interrupt;
use super::{Failure, Terminal, files, show};
use traceur_app::budget::Budget;
use traceur_app::preview::terminal::{self, Look};
use traceur_generator::experiment::{Log, Timelapse, picture};
use traceur_generator::{Outcome, Picture, Progress, Run, Settings, Stage, draw};

/// Between two checkpoints: what a crash may cost.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);
const WATCH_EVERY: Duration = Duration::from_millis(500);
/// Logged pictures of a whole run, unless `--log-every` says otherwise.
const LOGGED_PICTURES: usize = 24;

/// What to keep and show while a drawing is made.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct EvolveArgs {
    /// Where to keep what is needed to go on after a stop; default: beside the output, `drawing.svg.checkpoint`. It is
    /// removed when the drawing is done.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["image", "from"])]
    checkpoint: Option<PathBuf>,
    /// Go on where a run was stopped, with the settings that it had.
    #[arg(long = "continue", value_name = "FILE",
        conflicts_with_all = ["recipe", "neuron", "manner", "white", "set", "style", "lambda", "style_layers", "views", "metres", "image", "from", "pens", "max_pens", "page", "margin", "strokes", "steps", "seed", "pass_order", "repeat", "arrange", "parts", "join"])]
    go_on: Option<Option<PathBuf>>,
    /// Write a log for TensorBoard: every term of the loss, pictures, parameters.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["image", "from"])]
    log: Option<PathBuf>,
    /// Steps between two pictures of the log; default: 24 pictures in all.
    #[arg(long, value_name = "STEPS", requires = "log", value_parser = clap::value_parser!(u32).range(1..))]
    log_every: Option<u32>,
    /// Write a film of the drawing as it evolves.
    #[arg(long, value_name = "FILE.gif", conflicts_with_all = ["image", "from"])]
    timelapse: Option<PathBuf>,
    /// Show the drawing in the terminal as it evolves.
    #[arg(long, conflicts_with_all = ["image", "from"])]
    watch: bool,
}

/// What a checkpoint's name ends with.
const SUFFIX: &str = ".checkpoint";

impl EvolveArgs {
    /// Whether a stopped run goes on.
    pub(super) fn goes_on(&self) -> bool {
        self.go_on.is_some()
    }

    /// The drawing that a named checkpoint stands beside.
    pub(super) fn drawing_of_checkpoint(&self) -> Option<PathBuf> {
        let name = self.go_on.as_ref()?.as_ref()?.to_str()?.strip_suffix(SUFFIX)?;
        (!name.is_empty()).then(|| PathBuf::from(name))
    }

    /// Refuses outputs that can't be written, before the work begins.
    pub(super) fn check(&self) -> Result<(), Failure> {
        for path in self.checkpoint.iter().chain(&self.timelapse) {
            if files::is_dash(path) {
                return Err(Failure::Input("`-`: give a file for --checkpoint and --timelapse".into()));
            }
            files::check_writable(path)?;
        }
        Ok(())
    }

    /// The checkpoint of a run that goes to `output`; none for stdout, unless it was asked for.
    fn checkpoint(&self, output: &Path) -> Option<PathBuf> {
        let named = || self.go_on.clone().flatten();
        let beside = || {
            let mut name = output.as_os_str().to_owned();
            name.push(SUFFIX);
            (!files::is_dash(output)).then(|| name.into())
        };
        self.checkpoint.clone().or_else(named).or_else(beside)
    }

    /// The run to go on with.
    fn restore(&self, output: &Path) -> Result<Run, Failure> {
        let path = self.go_on.clone().flatten().or_else(|| self.checkpoint(output)).ok_or_else(|| {
            Failure::Input("--continue: nothing is known of a drawing on stdout: name the checkpoint".into())
        })?;
        if !path.exists() {
            return Err(Failure::Input(format!(
                "{}: no such checkpoint: a run leaves one when it is stopped; begin again without --continue",
                path.display()
            )));
        }
        let run = Run::restore(&files::read(&path)?);
        run.map_err(|error| Failure::Input(format!("{}: {error}", path.display())))
    }
}

/// Makes a drawing, or goes on with one that was stopped.
///
/// `write` is given the outcome, whole or as it stood when Ctrl-C was pressed.
pub(super) fn make(
    args: &EvolveArgs,
    settings: Option<Settings>,
    budget: Option<&Budget>,
    output: &Path,
    terminal: &Terminal,
    write: &dyn Fn(&Outcome) -> Result<(), Failure>,
) -> Result<Outcome, Failure> {
    let interrupt = Interrupt::listen();
    let run = match (settings, budget) {
        (Some(settings), Some(budget)) => budget.begin(settings, terminal)?,
        (Some(settings), None) => Run::new(settings)?,
        (None, _) => args.restore(output)?,
    };
    let checkpoint = args.checkpoint(output);
    let mut observers = Observers::new(args, &run, terminal)?;
    let (mut run, is_whole) =
        evolve(run, budget, checkpoint.as_deref(), &interrupt, &mut observers, terminal)?;
    let outcome = match budget.filter(|_| is_whole) {
        Some(budget) => budget.end(&mut run, terminal)?,
        None => run.outcome()?,
    };
    observers.end(args, &run, &outcome, is_whole, terminal)?;
    write(&outcome)?;
    if is_whole {
        if let Some(path) = checkpoint {
            // One that stays is only clutter: it leads to the same drawing.
            let _ = fs::remove_file(path);
        }
        return Ok(outcome);
    }
    let kept = if files::is_dash(output) { "stdout".into() } else { output.display().to_string() };
    let hint = match checkpoint {
        Some(path) if path == Path::new("drawing.svg.checkpoint") => {
            "go on with: traceur generate --continue".into()
        }
        Some(path) => format!("go on with: traceur generate --continue {} -o {kept}", path.display()),
        None => "give --checkpoint FILE to be able to go on".into(),
    };
    Err(Failure::Stopped(format!(
        "stopped after step {} of {}; {kept} holds the drawing as it was then; {hint}",
        run.done(),
        run.steps()
    )))
}

/// Makes a drawing under a progress bar and keeps nothing meanwhile: Ctrl-C ends the process.
pub(super) fn make_plainly(settings: &Settings, terminal: &Terminal) -> Result<Outcome, Failure> {
    let mut run = Run::new(settings.clone())?;
    let mut observers = Observers::new(&EvolveArgs::default(), &run, terminal)?;
    while let Some(progress) = run.step()? {
        observers.see(&run, &progress)?;
    }
    observers.bar.finish_and_clear();
    Ok(run.outcome()?)
}

/// Steps to the end, or to Ctrl-C (false); a checkpoint is kept meanwhile.
fn evolve(
    mut run: Run,
    budget: Option<&Budget>,
    checkpoint: Option<&Path>,
    interrupt: &Interrupt,
    observers: &mut Observers,
    terminal: &Terminal,
) -> Result<(Run, bool), Failure> {
    let save = |run: &Run| checkpoint.map_or(Ok(()), |path| files::write(path, &run.save(), terminal));
    let mut saved = Instant::now();
    loop {
        if interrupt.is_pressed() {
            save(&run)?;
            return Ok((run, false));
        }
        let Some(progress) = run.step()? else { return Ok((run, true)) };
        observers.see(&run, &progress)?;
        if let Some(budget) = budget {
            budget.watch(&mut run, terminal)?;
        }
        if saved.elapsed() > CHECKPOINT_EVERY {
            save(&run)?;
            saved = Instant::now();
        }
    }
}

/// All that looks at a run while it goes.
struct Observers {
    bar: ProgressBar,
    log: Option<Log>,
    film: Option<Timelapse>,
    screen: Option<Screen>,
}

impl Observers {
    fn new(args: &EvolveArgs, run: &Run, terminal: &Terminal) -> Result<Self, Failure> {
        let screen = if args.watch { Screen::new(terminal) } else { None };
        let bar = if screen.is_some() {
            ProgressBar::hidden()
        } else {
            terminal.progress("generate", run.steps() as u64)
        };
        let log = args.log.as_ref().map(|folder| {
            let every = args.log_every.map_or(run.steps().div_ceil(LOGGED_PICTURES), |every| every as usize);
            Log::begin(folder, run.settings(), every, now())
        });
        let mut film = args.timelapse.as_ref().map(|_| Timelapse::new(run.steps()));
        if let Some(film) = &mut film {
            film.push(&run.picture()?);
        }
        Ok(Self { bar, log: log.transpose()?, film, screen })
    }

    fn see(&mut self, run: &Run, progress: &Progress) -> Result<(), Failure> {
        let stage = match progress.stage {
            Stage::Free => "free colors",
            Stage::Tune => "pens",
            Stage::Sheet => "sheet",
        };
        tracing::debug!(
            step = progress.step,
            excitation = progress.excitation,
            loss = progress.loss,
            "{stage}"
        );
        let words = format!("{stage}, excitation {:.1}", progress.excitation);
        if let Some(log) = &mut self.log {
            log.step(run, progress, now())?;
        }
        if let Some(film) = self.film.as_mut().filter(|film| film.wants(progress.step)) {
            film.push(&run.picture()?);
        }
        if let Some(screen) = &mut self.screen {
            let words = format!("step {} of {}, {words}; Ctrl-C stops", progress.step, progress.steps);
            screen.see(run, &words)?;
        }
        self.bar.set_message(words);
        self.bar.set_position(progress.step as u64);
        Ok(())
    }

    fn end(
        mut self,
        args: &EvolveArgs,
        run: &Run,
        outcome: &Outcome,
        is_whole: bool,
        terminal: &Terminal,
    ) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        let drawing = finished(run, outcome)?;
        if let Some(screen) = &mut self.screen {
            screen.draw(&drawing, &format!("{} of {} steps", run.done(), run.steps()))?;
        }
        if let Some(log) = &mut self.log {
            log.end(run.done(), outcome, &drawing, is_whole, now())?;
        }
        if let (Some(film), Some(path)) = (&mut self.film, &args.timelapse) {
            film.push(&drawing);
            files::write(path, &film.to_gif()?, terminal)?;
        }
        Ok(())
    }
}

/// The finished drawing, as large as the pictures of the run.
fn finished(run: &Run, outcome: &Outcome) -> Result<Picture, Failure> {
    Ok(draw(&outcome.drawing, run.settings().canvas()?.px_per_mm * 25.4))
}

/// Since the Unix epoch, as logs want it.
pub(super) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The terminal as a canvas: each picture replaces the last one.
struct Screen {
    look: Look,
    /// Rows that the last picture and its words took.
    rows: usize,
    drawn: Option<Instant>,
}

/// Longest edge of what is prepared for the cells; px.
const WATCHED_PX: u32 = 400;

impl Screen {
    /// On stderr, if a person looks at it.
    fn new(terminal: &Terminal) -> Option<Self> {
        if terminal.is_quiet() || !io::stderr().is_terminal() {
            return None;
        }
        let look = match Look::of(|name| std::env::var(name).ok(), true, terminal.wants_color(true)) {
            // Pixels can't be replaced in place on all of these; cells can.
            Look::Kitty | Look::Iterm => Look::Blocks,
            Look::Sixel => Look::Blocks256,
            look => look,
        };
        Some(Self { look, rows: 0, drawn: None })
    }

    fn see(&mut self, run: &Run, words: &str) -> Result<(), Failure> {
        if self.drawn.is_some_and(|drawn| drawn.elapsed() < WATCH_EVERY) {
            return Ok(());
        }
        self.drawn = Some(Instant::now());
        self.draw(&run.picture()?, words)
    }

    #[expect(clippy::print_stderr, reason = "a picture that replaces itself is no line of text")]
    fn draw(&mut self, picture: &Picture, words: &str) -> Result<(), Failure> {
        let size = show::screen(true);
        let most = terminal::Cells { rows: size.rows.saturating_sub(3).max(1), ..size };
        let small = picture::thumbnail(picture, WATCHED_PX);
        let pixels: Vec<[u8; 3]> = small.pixels().map(|pixel| pixel.0).collect();
        let small = traceur_app::preview::of_rgb8(small.width() as usize, small.height() as usize, &pixels);
        let text = terminal::show(&small, self.look, most)?;
        let words: String = words.chars().take(size.columns.saturating_sub(1)).collect();
        let up = if self.rows > 0 { format!("\x1b[{}A\r", self.rows) } else { String::new() };
        eprintln!("{up}{text}\x1b[K{words}");
        self.rows = text.lines().count() + 1;
        Ok(())
    }
}
