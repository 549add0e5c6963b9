import "./style/main.css";
import { App } from "./app.ts";
import { expose } from "./hook.ts";

const room = new URLSearchParams(location.search).get("room")?.trim() || null;

expose(new App(new URL("v1/", new URL(".", document.baseURI)), room));
