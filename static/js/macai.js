// The entry: everything here adds comfort to pages that work without it.
import "./navigation.js";
import "./toasts.js";
import "./keys.js";
import "./submit.js";
import "./once.js";
import "./focus.js";
import "./drafts.js";
import "./counter.js";
import "./autogrow.js";
import "./dialogs.js";
import "./choosing.js";
import "./copy.js";
import "./player.js";
import "./songs.js";
import "./images.js";
import "./story.js";
import "./styles.js";
