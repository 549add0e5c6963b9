import "./style/main.css";
import { App } from "./app.ts";
import { exposeHook } from "./hook.ts";

const room = new URLSearchParams(location.search).get("room")?.trim() || null;

exposeHook(new App(new URL("v1/", new URL(".", document.baseURI)), room));
