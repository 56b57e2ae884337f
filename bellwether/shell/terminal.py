"""The shell on a terminal: line editing, history, completion. The only user of prompt-toolkit."""

from __future__ import annotations

import os
from collections.abc import Iterable

import click
from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import completion_is_selected
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from bellwether.answers.results.formats import FORMATS
from bellwether.shell.completion import Names, offers
from bellwether.shell.history import history_file, prepare_history
from bellwether.shell.session import Ended, Shell
from bellwether.shell.statements import is_unfinished, split_statements


class _Completer(Completer):
    def __init__(self, shell: Shell, names: Names) -> None:
        self._shell = shell
        self._names = names

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        for offer in offers(document.text_before_cursor, self._shell.dataset, self._names, FORMATS):
            yield Completion(offer.text, -offer.replaced, display_meta=offer.kind)


def interact(shell: Shell, names: Names) -> None:
    """Ask for statements and carry them out until the user leaves."""
    session: PromptSession[str] = PromptSession(
        history=_history(), completer=_Completer(shell, names), complete_in_thread=True,
        complete_while_typing=False, multiline=True, key_bindings=_keys(),
        prompt_continuation=lambda width, line, is_wrapped: "." * (width - 1) + " ",
        enable_history_search=True,
    )  # fmt: skip
    while True:
        try:
            text = session.prompt(f"{shell.dataset or '(no dataset)'}> ")
        except KeyboardInterrupt:  # what was typed is thrown away
            continue
        except EOFError:
            return
        for statement in split_statements(text):
            try:
                shell.execute(statement)
            except KeyboardInterrupt:
                click.echo("cancelled, on the server too", err=True)
                break
            except Ended:
                return


def _history() -> History:
    path = history_file(os.environ)
    try:
        prepare_history(path)
    except OSError as error:
        click.echo(f"no history is kept: {path}: {error.strerror}", err=True)
        return InMemoryHistory()
    return FileHistory(str(path))


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter", filter=~completion_is_selected)
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        last = buffer.document.current_line
        at_end = not buffer.document.text_after_cursor.strip()
        if at_end and is_unfinished(buffer.text) and last.strip():
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("enter", filter=completion_is_selected)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.complete_state = None  # taken; the question is not asked yet

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys
