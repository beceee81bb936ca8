// Says that it ran, and what the server answers to a script that asks for JSON.
(async () => {
  const answer = await fetch("refused", { headers: { Accept: "application/json" } });
  document.getElementById("script").textContent = (await answer.json()).error.message;
})();
