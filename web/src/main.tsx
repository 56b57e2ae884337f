import "./look/page.css";
import { render } from "preact";

const place = document.getElementById("page");
if (place) render(<p>Bellwether</p>, place);
