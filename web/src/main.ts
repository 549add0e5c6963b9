import "./style/main.css";
import { App } from "./app.ts";
import { exposeHook } from "./hook.ts";
import { takeKeyFromAddress } from "./io/api-keys.ts";

takeKeyFromAddress();
addEventListener("hashchange", () => {
  if (takeKeyFromAddress()) location.reload(); // the link was opened in a tab that shows the page already
});

const room = new URLSearchParams(location.search).get("room")?.trim() || null;

exposeHook(new App(new URL("v1/", new URL(".", document.baseURI)), room));
