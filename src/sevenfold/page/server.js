// Rows and answers by the server on this machine.
async function ask(path, sent) {
  const options = sent && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(sent) };
  let reply;
  try {
    reply = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer, so this was not saved. Is it still running in the terminal?");
  }
  const said = await reply.json();
  if (!reply.ok) throw new Error("This was not saved: " + said.error);
  return said;
}
