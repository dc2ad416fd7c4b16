// Bundled, so that no window loads a font from another origin.
import '@fontsource-variable/bricolage-grotesque'
import '@fontsource-variable/inter'
import '@fontsource-variable/jetbrains-mono'
import './palette.css'
import './type.css'
import './code.css'
import './diagram.css'
import './stage.css'
