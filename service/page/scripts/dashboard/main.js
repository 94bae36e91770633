import { open } from "../frame.js";
import { html } from "../library.js";
import { t } from "../language.js";

const Page = () => html`<h1>${t("dashboard.title")}</h1>`;

open("dashboard", Page);
