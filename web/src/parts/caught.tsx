// A view that fails says so in its place; another view, or another try, begins anew.

import { Component, type ComponentChildren } from "preact";
import type { Place } from "../address";

interface Props {
  place: Place;
  children: ComponentChildren;
}

interface State {
  error: unknown;
}

export class Caught extends Component<Props, State> {
  override state: State = { error: null };

  static override getDerivedStateFromError(error: unknown): Partial<State> {
    return { error };
  }

  override componentDidUpdate(before: Readonly<Props>): void {
    if (this.state.error !== null && before.place !== this.props.place) this.setState({ error: null });
  }

  render({ children }: Props, { error }: State) {
    if (error === null) return children;
    const why = error instanceof Error ? error.message : String(error);
    return (
      <div class="problem" role="alert">
        <p class="error">✕ This view failed: {why}</p>
        <p class="quiet">Its address is kept. Where the page was updated meanwhile, loading it again helps.</p>
        <p class="row">
          <button onClick={() => this.setState({ error: null })}>Try again</button>
          <button onClick={() => location.reload()}>Load the page again</button>
        </p>
      </div>
    );
  }
}
