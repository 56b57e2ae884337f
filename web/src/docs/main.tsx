import "../look/page.css";
import "./docs.css";
import { render } from "preact";
import { Docs } from "./docs";

const place = document.getElementById("page");
if (place) render(<Docs />, place);
