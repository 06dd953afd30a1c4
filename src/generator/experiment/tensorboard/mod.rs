//! Event files as TensorBoard reads them.
//!
//! Sources: TensorFlow's `event.proto`, `summary.proto` and `tensor.proto`; TensorBoard's `hparams/plugin_data.proto`
//! and `api.proto`; the record format of `tensorflow/core/lib/io/record_writer.h`.

mod message;
mod record;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Error;
use message::Message;

/// A run's parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    /// A number.
    Number(f64),
    /// A word.
    Text(String),
    /// Yes or no.
    Flag(bool),
}

/// One event file. Times are since the Unix epoch.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// Begins a file in `folder`, which is made if it is missing. A run that goes on later gets a file of its own,
    /// which TensorBoard reads after the earlier ones.
    ///
    /// # Errors
    /// When the folder or the file can't be written.
    pub fn create(folder: &Path, now: Duration) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(Error::at(folder))?;
        // TensorBoard looks for `tfevents` in the name, and sorts files by it.
        let name = |index: u32| format!("events.out.tfevents.{:010}.traceur.{index}", now.as_secs());
        let mut index = 0;
        let (path, file) = loop {
            let path = folder.join(name(index));
            match File::create_new(&path) {
                Ok(file) => break (path, file),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && index < 1000 => index += 1,
                Err(error) => return Err(Error::at(&path)(error)),
            }
        };
        let mut events = Self { path, file };
        events.write(&event(0, now).text(3, "brain.Event:2"))?;
        Ok(events)
    }

    /// Numbers of one step, by tag.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn scalars(&mut self, step: usize, now: Duration, values: &[(String, f32)]) -> Result<(), Error> {
        let mut summary = Message::default();
        for (tag, value) in values {
            summary = summary.message(1, &Message::default().text(1, tag).float(2, *value));
        }
        self.write(&event(step, now).message(5, &summary))
    }

    /// A picture, as the bytes of a PNG file.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn image(
        &mut self,
        step: usize,
        now: Duration,
        tag: &str,
        (width, height): (u32, u32),
        png: &[u8],
    ) -> Result<(), Error> {
        const RGB: u64 = 3;
        let image = Message::default().int(1, height.into()).int(2, width.into()).int(3, RGB).bytes(4, png);
        self.summary(step, now, &Message::default().text(1, tag).message(4, &image))
    }

    /// A text; Markdown is shown as such.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn text(&mut self, step: usize, now: Duration, tag: &str, text: &str) -> Result<(), Error> {
        const STRING: u64 = 7;
        let tensor = Message::default().int(1, STRING).message(2, &Message::default()).text(8, text);
        let metadata = plugin("text", &Message::default());
        let value = Message::default().text(1, &format!("{tag}/text_summary"));
        self.summary(step, now, &value.message(8, &tensor).message(9, &metadata))
    }

    /// The run's parameters, and the tags by which runs are compared.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn parameters(
        &mut self,
        now: Duration,
        group: &str,
        parameters: &[(String, Parameter)],
        metrics: &[&str],
    ) -> Result<(), Error> {
        let mut experiment = Message::default().double(3, now.as_secs_f64());
        let mut session = Message::default().text(4, group).double(5, now.as_secs_f64());
        for (name, parameter) in parameters {
            // DataType of the plugin: string, bool, float64; field of google.protobuf.Value: number, text, bool.
            let (kind, value) = match parameter {
                Parameter::Text(text) => (1, Message::default().text(3, text)),
                Parameter::Flag(flag) => (2, Message::default().int(4, u64::from(*flag))),
                Parameter::Number(number) => (3, Message::default().double(2, *number)),
            };
            experiment = experiment.message(4, &Message::default().text(1, name).int(4, kind));
            session = session.message(1, &Message::default().text(1, name).message(2, &value));
        }
        for metric in metrics {
            let name = Message::default().text(2, metric);
            experiment = experiment.message(5, &Message::default().message(1, &name));
        }
        self.hparams(now, "_hparams_/experiment", &Message::default().message(2, &experiment))?;
        self.hparams(now, "_hparams_/session_start_info", &Message::default().message(3, &session))
    }

    /// Says that the run is at its end, well or not.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn end(&mut self, now: Duration, is_success: bool) -> Result<(), Error> {
        let status = if is_success { 1 } else { 2 };
        let end = Message::default().int(1, status).double(2, now.as_secs_f64());
        self.hparams(now, "_hparams_/session_end_info", &Message::default().message(4, &end))
    }

    fn hparams(&mut self, now: Duration, tag: &str, content: &Message) -> Result<(), Error> {
        // The plugin reads the metadata only, but wants a tensor beside it: one 32-bit 0.
        let shape = Message::default().message(2, &Message::default().int(1, 1));
        let tensor = Message::default().int(1, 1).message(2, &shape).bytes(5, &[0; 4]);
        let value = Message::default().text(1, tag).message(8, &tensor);
        self.summary(0, now, &value.message(9, &plugin("hparams", content)))
    }

    fn summary(&mut self, step: usize, now: Duration, value: &Message) -> Result<(), Error> {
        self.write(&event(step, now).message(5, &Message::default().message(1, value)))
    }

    fn write(&mut self, event: &Message) -> Result<(), Error> {
        // One call, so that a reader beside us sees whole records.
        self.file.write_all(&record::of(event.as_bytes())).map_err(Error::at(&self.path))
    }
}

fn event(step: usize, now: Duration) -> Message {
    Message::default().double(1, now.as_secs_f64()).int(2, step as u64)
}

fn plugin(name: &str, content: &Message) -> Message {
    Message::default().message(1, &Message::default().text(1, name).message(2, content))
}
