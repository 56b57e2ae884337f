import "./look/page.css";
import "./look/styles";
import { render } from "preact";
import { App } from "./app";

const place = document.getElementById("page");
if (place) {
  place.replaceChildren(); // what stands there until the page is loaded
  render(<App />, place);
}
